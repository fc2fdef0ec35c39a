/**
 * Task-relative REINFORCE++ (TRR++): a reward is compared with those of its own group, a task and a role, and scaled by
 * their deviation. One baseline per group lies between one per question and one for the whole batch. One group gives
 * REINFORCE++.
 */
import { lossInputError } from "./loss-input.ts";
import { deviationOf, meanOf } from "./statistics.ts";

export interface RewardedResponse {
  readonly reward: number;
  /** Responses that are compared with each other: `deduction/solve`. */
  readonly group: string;
  /** Sampled tokens, which token statistics weigh by. */
  readonly tokenCount: number;
}

/**
 * What mean and deviation are taken over. `response-population` and `response-sample`: every response counts once, with
 * one or the other deviation. `token`: every token counts once, so that long responses weigh more, with the sample
 * variance over tokens.
 */
export type GroupStatistics = "response-population" | "response-sample" | "token";

/**
 * (r - mean) / deviation over each group; over tokens (r - mean) / sqrt(variance + 1e-8). Groups of one value get exact
 * zeros.
 *
 * @shape `[B]` in and out
 * @paper arXiv:2505.03335v3 eq. 8; `token` is what the released code does
 */
export function taskRelativeAdvantages(
  responses: readonly RewardedResponse[],
  statistics: GroupStatistics,
): Float64Array {
  const advantages = new Float64Array(responses.length);
  const groups = Map.groupBy(responses.keys(), (row) => responses[row]?.group ?? "");
  for (const rows of groups.values()) {
    const members = rows.flatMap((row) => responses[row] ?? []);
    const first = members[0]?.reward;
    if (members.every(({ reward }) => reward === first)) continue;
    const { mean, deviation } = statisticsOf(members, statistics);
    rows.forEach((row, index) => {
      advantages[row] = ((members[index]?.reward ?? 0) - mean) / deviation;
    });
  }
  return advantages;
}

interface Statistics {
  readonly mean: number;
  readonly deviation: number;
}

function statisticsOf(members: readonly RewardedResponse[], statistics: GroupStatistics): Statistics {
  const rewards = members.map(({ reward }) => reward);
  switch (statistics) {
    case "response-population":
      return { mean: meanOf(rewards), deviation: deviationOf(rewards, "population") };
    case "response-sample":
      return { mean: meanOf(rewards), deviation: deviationOf(rewards, "sample") };
    case "token":
      return tokenStatistics(members);
  }
}

const tokenEpsilon = 1e-8;

function tokenStatistics(members: readonly RewardedResponse[]): Statistics {
  let [count, sum] = [0, 0];
  for (const { reward, tokenCount } of members) {
    if (!(Number.isInteger(tokenCount) && tokenCount > 0))
      throw lossInputError(`task-relative advantages: expected responses with tokens, got ${tokenCount}`);
    count += tokenCount;
    sum += tokenCount * reward;
  }
  const mean = sum / count;
  const squares = members.reduce(
    (total, { reward, tokenCount }) => total + tokenCount * (reward - mean) ** 2,
    0,
  );
  return { mean, deviation: Math.sqrt(squares / (count - 1) + tokenEpsilon) };
}
