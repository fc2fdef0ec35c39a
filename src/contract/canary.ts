/**
 * The canary of promise 4: proof that a sampler answers with the weights that were published.
 * Whoever publishes calls it right after `publish`, before the model is trained further. It compares
 * the log-probabilities of one fixed prompt's greedy answer, once from the sampler and once from the
 * trainer's `forward`; a sampler that kept older weights gives others. It cannot see a change that is
 * smaller than the tolerance.
 */
import type { CallOptions } from "../base/index.ts";
import type { Engine, Model } from "./engine.ts";
import { engineError } from "./errors.ts";
import { countPositions, tokens, type Chunk, type Datum, type TokenId } from "./inputs.ts";
import type { PolicyVersion } from "./versions.ts";

export interface CanaryOptions extends CallOptions {
  readonly engine: Engine;
  /** The model that was published, with the weights that were published. */
  readonly model: Model;
  readonly version: PolicyVersion;
  /** Any prompt of a few tokens. */
  readonly prompt: readonly Chunk[];
  /** Default 8. */
  readonly maxTokens?: number;
  /**
   * The largest mean absolute difference that passes. Default by precision of the engine.
   *
   * @unit nats
   */
  readonly toleranceNats?: number;
}

export interface CanaryReport {
  readonly tokenCount: number;
  /** @unit nats */
  readonly meanAbsoluteDifference: number;
  /** @unit nats */
  readonly maxAbsoluteDifference: number;
}

/** What passes where nothing is stated. @unit nats */
export const canaryToleranceNats = { float64: 1e-6, float32: 1e-3, bfloat16: 5e-2 } as const;

/** Relative rounding of one operation; a log-probability is the end of many. */
const roundings = { float64: 2 ** -52, float32: 2 ** -23, bfloat16: 2 ** -7 } as const;
const roundingCount = 8;

/**
 * Compares sampler and trainer on a greedy answer.
 *
 * @throws `stale-sampler` when they differ by more than the tolerance; `weights-diverged` when the
 * trainer's own are no numbers, or so large that their rounding exceeds it
 */
export async function checkCanary(options: CanaryOptions): Promise<CanaryReport> {
  const { engine, model, version, prompt } = options;
  const call: CallOptions = {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
  const room = Math.max(1, model.contextLength - countPositions(prompt));
  const includePromptLogprobs = engine.capabilities.has("prompt-logprobs");
  const response = await engine.sample(
    version,
    {
      prompt,
      parameters: { maxTokens: Math.min(options.maxTokens ?? 8, room), temperature: 0, seed: 0 },
      ...(includePromptLogprobs ? { includePromptLogprobs } : {}),
    },
    call,
  );
  const [sequence] = response.sequences;
  if (sequence === undefined || sequence.tokenIds.length === 0) {
    throw engineError("engine-failed", "expected the canary's answer of at least one token, got none");
  }
  const forward = await model.forward([scoringDatum(prompt, sequence.tokenIds)], call);
  const trainer = forward.logprobs[0] ?? new Float32Array();
  const sampler = [...(response.promptLogprobs ?? []), ...sequence.logprobs];
  const compared = trainer.subarray(trainer.length - sampler.length);
  const report = compare(compared, sampler);
  const { precision } = engine.description;
  const toleranceNats = options.toleranceNats ?? canaryToleranceNats[precision];
  if (report.meanAbsoluteDifference <= toleranceNats) return report;
  const largestNats = toleranceNats / (roundingCount * roundings[precision]);
  const broken = compared.find((logprob) => !(Math.abs(logprob) <= largestNats));
  throw broken === undefined
    ? staleSampler(version, report, toleranceNats)
    : weightsDiverged(version, broken);
}

/**
 * The row that scores a reply after its prompt: weight 1 on the reply's tokens, 0 on the prompt.
 *
 * @shape `[T]` with T = positions of the prompt + length of the reply - 1
 */
export function scoringDatum(prompt: readonly Chunk[], reply: readonly TokenId[]): Datum {
  const ids = [...prompt, tokens(reply)].flatMap((chunk) =>
    chunk.kind === "tokens"
      ? [...chunk.tokenIds]
      : Array.from<number>({ length: chunk.positionCount }).fill(0),
  );
  const targets = Int32Array.from(ids.slice(1));
  const weights = new Float32Array(targets.length);
  weights.fill(1, targets.length - reply.length);
  const fed = reply.slice(0, -1);
  return { input: fed.length === 0 ? prompt : [...prompt, tokens(fed)], targets, weights };
}

function compare(trainer: ArrayLike<number>, sampler: readonly number[]): CanaryReport {
  const differences = sampler.map((logprob, index) => Math.abs(logprob - (trainer[index] ?? Number.NaN)));
  const sum = differences.reduce((total, difference) => total + difference, 0);
  return {
    tokenCount: differences.length,
    meanAbsoluteDifference: sum / differences.length,
    maxAbsoluteDifference: Math.max(...differences),
  };
}

function weightsDiverged(version: PolicyVersion, logprob: number): Error {
  return engineError(
    "weights-diverged",
    `expected version ${version.number} of model ${version.modelId} to give log-probabilities, got ${logprob} nats from the trainer itself: its weights are useless`,
    {
      hint: "training has diverged: lower the learning rate, clip gradients, or look at the data",
      facts: { version: version.address },
    },
  );
}

function staleSampler(version: PolicyVersion, report: CanaryReport, toleranceNats: number): Error {
  return engineError(
    "stale-sampler",
    `expected the sampler to answer with version ${version.number} of model ${version.modelId}: log-probabilities within ${toleranceNats} nats of the trainer's, got a mean difference of ${report.meanAbsoluteDifference}`,
    {
      hint: "publish again; if it repeats, the sampler keeps old weights or caches: restart the engine",
      retryable: true,
      facts: { ...report, toleranceNats, version: version.address },
    },
  );
}
