/**
 * A recipe in one file: a game with two seats, a scripted caller and a model that starts from nothing, and rounds of
 * play and training as durable steps. The caller says a digit, the pupil learns to say the next one from rewards
 * alone. Interrupted with ctrl-C, it goes on with `npx spar resume RUN`. (zod comes with spar; name it in your own
 * dependencies if your package manager is strict.)
 *
 * Run: npx spar run ./a-recipe-of-your-own.ts
 */
import { defineGame, type Game } from "spar/games";
import { policyPlayer, scriptedPlayer } from "spar/players";
import { playEpisodes, type PlayedEpisode } from "spar/rollouts";
import { characterTokenizer, datumFromTurns, plainRenderer } from "spar/text";
import { defineRecipe, type Policy, type Run, type Step } from "spar/train";
import { z } from "zod";

/** Whether the pupil's digit follows the caller's. A reply that is no digit is a wrong answer, not an error. */
const nextDigit: Game<null, boolean> = defineGame({
  id: "next-digit",
  seats: ["caller", "pupil"],
  limits: { turns: 2, calls: 0, tokens: 100, timeMs: 10_000 },
  play: async (table) => {
    const digit = { parse: (text: string) => Number(text), maxTokens: 1 };
    const call = await table.ask("caller", { ...digit, prompt: [] });
    if (call.kind === "limit") return false;
    const prompt = [{ kind: "text", role: "user", text: call.turn.text }] as const;
    const answer = await table.ask("pupil", { ...digit, prompt });
    return answer.kind === "turn" && answer.turn.parsed === (call.turn.parsed + 1) % 10;
  },
});

const caller = scriptedPlayer({ name: "caller", reply: (_request, random) => String(random.integer(10)) });
const tokenizer = characterTokenizer({ symbols: "0123456789" });

const options = z.strictObject({
  rounds: z.int().positive().default(25).describe("rounds of play and training"),
  episodesPerRound: z.int().min(2).default(128).describe("games per round"),
  learningRate: z.number().positive().default(0.03),
});
type Options = z.output<typeof options>;

export const recipe = defineRecipe({
  id: "next-digit",
  title: "The next digit",
  paper: null,
  summary: "a tiny model learns to count from rewards alone",
  version: 1,
  options,
  presets: { nano: { summary: "seconds on a laptop", options: {}, engine: "embedded" } },
  needs: () => ["full-finetune", "loss:importanceSampling", "optimizer:adam"],
  plan: async ({ rounds, episodesPerRound }) => ({
    lines: [{ name: "episodes", value: rounds * episodesPerRound }],
    steps: [`${rounds} rounds`],
    memoryBytes: null,
    diskBytes: null,
    inputs: [],
  }),
  run: async (run: Run<Options>) => {
    const pupil = await run.model("pupil", {
      from: {
        kind: "architecture",
        architecture: {
          vocabularySize: tokenizer.vocabularySize,
          contextLength: 4,
          width: 16,
          layerCount: 1,
          headCount: 2,
        },
        seed: run.random.split("weights").seed(),
      },
      tokenizer: tokenizer.definition,
    });
    const table = run.report.table("Share of right answers", [
      { name: "round" },
      { name: "right", digits: 2 },
    ]);
    let right = 0;
    for (let round = 1; round <= run.options.rounds; round++) {
      right = await run.step(`round-${round}`, { models: [pupil] }, async (step) => {
        const share = await playAndLearn(run, pupil, step);
        step.metric("play/right", round, share);
        return share;
      });
      if (round % 5 === 0) table.row(round, right);
    }
    return { right };
  },
});

/** One round: the present weights play, the reward of each game is compared with the mean, one update is made. */
async function playAndLearn(run: Run<Options>, pupil: Policy, step: Step): Promise<number> {
  const player = policyPlayer({
    name: "pupil",
    kind: "live",
    version: await pupil.publish(),
    engine: run.engine,
    renderer: plainRenderer(tokenizer),
    contextLength: 4,
    sampling: { maxTokens: 1 },
  });
  const episodes = await playEpisodes({
    step,
    game: nextDigit,
    seats: { caller, pupil: player },
    tasks: Array.from({ length: run.options.episodesPerRound }, (_, index) => ({
      id: `game-${index}`,
      task: null,
    })),
  });
  const mean = episodes.filter(({ outcome }) => outcome === true).length / episodes.length;
  const data = episodes.flatMap((episode) => toDatum(episode, mean, episodes.length));
  await Promise.all([
    pupil.model.forwardBackward(data, { kind: "importanceSampling" }),
    pupil.model.optimStep({ kind: "adam", learningRate: run.options.learningRate }),
  ]);
  return mean;
}

/** Losses are sums over tokens; the weight makes this one a mean over episodes. */
function toDatum({ turns, outcome }: PlayedEpisode<boolean>, mean: number, count: number) {
  const answers = turns.filter(({ seat }) => seat === "pupil");
  if (answers.length === 0) return [];
  return [datumFromTurns(answers, { weight: 1 / count, advantages: (outcome === true ? 1 : 0) - mean })];
}
