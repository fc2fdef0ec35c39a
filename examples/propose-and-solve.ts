/**
 * Propose and solve, in one file, with another verifier than Python: one model, which starts from nothing, writes regular
 * expressions of a, b, ? and *, and strings that match them. A proposer is paid for what is solved sometimes but not always,
 * a solver for matching; both roles train the same weights. docs/propose-and-solve.md explains it part by part.
 *
 * Run: npx spar run ./propose-and-solve.ts
 */
import type { Datum } from "spar/contract";
import { defineGame, type Game } from "spar/games";
import { groupAdvantages } from "spar/losses";
import { policyPlayer } from "spar/players";
import { playEpisodes, type PlayedEpisode } from "spar/rollouts";
import { characterTokenizer, datumFromTurns, plainRenderer } from "spar/text";
import { defineRecipe, type Policy, type Run, type Step } from "spar/train";
import { z } from "zod";

const options = z.strictObject({
  rounds: z.int().positive().default(90).describe("rounds of proposing, solving and one update"),
  proposals: z.int().min(2).default(32).describe("expressions per round"),
  attempts: z.int().min(2).default(8).describe("strings for each valid expression"),
  learningRate: z.number().positive().default(0.002),
});
type Options = z.output<typeof options>;

const tokenizer = characterTokenizer({ symbols: "PSab?*:" });
const contextLength = 16;

/** Letters, each with at most one mark behind it; it has to ask for three letters at least. Nothing else is ever compiled. */
const isExpression = (text: string): boolean =>
  /^(?:[ab][?*]?){1,5}$/.test(text) && text.replaceAll(/.[?*]/g, "").length >= 3;
const matches = (expression: string, answer: string): boolean =>
  /^[ab]{0,6}$/.test(answer) && new RegExp(`^${expression}$`).test(answer);

/** Null where the proposal was none; else which of the attempts match. */
type Outcome = readonly boolean[] | null;
type Shares = { readonly valid: number; readonly learnable: number; readonly solved: number };

/** Both roles in one episode. The verifier is a pure function, so the game asks it directly and needs no service. */
function proposeAndSolve({ attempts }: Options): Game<null, Outcome> {
  return defineGame({
    id: "propose-and-solve",
    seats: ["proposer", "solver"],
    limits: { turns: 1 + attempts, calls: 0, tokens: 10_000, timeMs: 60_000 },
    play: async (table): Promise<Outcome> => {
      const read = { parse: (text: string) => text, maxTokens: 6 };
      const proposal = await table.ask("proposer", { ...read, prompt: prompt("P") });
      if (proposal.kind === "limit" || !isExpression(proposal.turn.parsed)) return null;
      const expression = proposal.turn.parsed;
      const answers = await table.askSiblings("solver", attempts, {
        ...read,
        prompt: prompt(`S${expression}:`),
      });
      return answers.map((answer) => answer.kind === "turn" && matches(expression, answer.turn.parsed));
    },
  });
}

const prompt = (text: string) => [{ kind: "text", role: "user", text }] as const;

/** What is missing to always, nothing where it is never solved; -1 for what is no expression. */
function proposerReward(outcome: Outcome): number {
  if (outcome === null) return -1;
  const rate = outcome.filter(Boolean).length / outcome.length;
  return rate === 0 ? 0 : 1 - rate;
}

export const recipe = defineRecipe({
  id: "propose-and-solve",
  title: "Propose and solve regular expressions",
  paper: null,
  summary: "a tiny model writes expressions that it can just about match",
  version: 1,
  options,
  presets: { nano: { summary: "a minute on a laptop", options: {}, engine: "embedded" } },
  needs: () => ["full-finetune", "loss:importanceSampling", "optimizer:adam"],
  plan: async ({ rounds, proposals, attempts }) => {
    const lines = [{ name: "replies", value: rounds * proposals * (1 + attempts), unit: "at most" }];
    return { lines, steps: [`${rounds} rounds`], memoryBytes: null, diskBytes: null, inputs: [] };
  },
  run: async (run: Run<Options>) => {
    const { vocabularySize } = tokenizer;
    const architecture = { vocabularySize, contextLength, width: 32, layerCount: 2, headCount: 4 };
    const policy = await run.model("player", {
      from: { kind: "architecture", architecture, seed: run.random.split("weights").seed() },
      tokenizer: tokenizer.definition,
    });
    const columns = ["valid", "learnable", "solved"].map((name) => ({ name, digits: 2 }));
    const table = run.report.table("Shares: of proposals, of valid ones, of attempts", [
      { name: "round" },
      ...columns,
    ]);
    let last: Shares = { valid: 0, learnable: 0, solved: 0 };
    for (let round = 1; round <= run.options.rounds; round++) {
      const play = (step: Step): Promise<Shares> => playAndLearn(run, policy, step);
      last = await run.step(`round-${round}`, { models: [policy] }, play);
      if (round % 10 === 0) table.row(round, last.valid, last.learnable, last.solved);
    }
    return last;
  },
});

async function playAndLearn(run: Run<Options>, policy: Policy, step: Step): Promise<Shares> {
  const player = policyPlayer({
    name: "player",
    kind: "live",
    version: await policy.publishForStep(),
    engine: run.engine,
    renderer: plainRenderer(tokenizer),
    contextLength,
    sampling: { maxTokens: 6 },
  });
  const episodes = await playEpisodes({
    step,
    game: proposeAndSolve(run.options),
    seats: { proposer: player, solver: player },
    tasks: Array.from({ length: run.options.proposals }, (_, index) => ({ id: String(index), task: null })),
  });
  await Promise.all([
    policy.model.forwardBackward(rowsOf(episodes), { kind: "importanceSampling" }),
    policy.model.optimStep({ kind: "adam", learningRate: run.options.learningRate, clipGradientNorm: 1 }),
  ]);
  const valid = episodes.flatMap(({ outcome }) => (outcome === null ? [] : [outcome]));
  const learnable = valid.filter((outcome) => proposerReward(outcome) > 0);
  const share = (part: number, whole: number): number => part / Math.max(1, whole);
  return {
    valid: share(valid.length, episodes.length),
    learnable: share(learnable.length, valid.length),
    solved: share(valid.flat().filter(Boolean).length, valid.flat().length),
  };
}

/** Proposals are compared with each other, attempts with those at the same expression. */
function rowsOf(episodes: readonly PlayedEpisode<Outcome>[]): Datum[] {
  const replies = episodes.flatMap(({ start, outcome, turns }) =>
    turns.map((turn) => {
      const isProposal = turn.seat === "proposer";
      const reward = isProposal ? proposerReward(outcome) : outcome?.[turn.siblingIndex] === true ? 1 : 0;
      return { turn, reward, group: isProposal ? "proposals" : start.id };
    }),
  );
  const rewards = replies.map(({ reward }) => reward);
  const advantages = groupAdvantages(
    rewards,
    replies.map(({ group }) => group),
  );
  return replies.map(({ turn }, index) =>
    datumFromTurns([turn], { weight: 1 / replies.length, advantages: advantages[index] ?? 0 }),
  );
}
