/**
 * Absolute Zero (Zhao, Wu, Yue and others; arXiv:2505.03335v3): one model proposes tasks of Python and solves them. A sandbox
 * says which proposals are tasks and which answers are right; proposing pays for tasks that are solved sometimes but not
 * always, solving for being right, and both train the same weights. No data. Read beside algorithm 1 of the paper.
 */
import type { JsonValue } from "spar/base";
import { defineRecipe, type Recipe, type Run } from "spar/train";
import { evaluate } from "./evaluate.ts";
import { absoluteZeroOptions, unusedOptions, type AbsoluteZeroOptions } from "./options.ts";
import { planAbsoluteZero } from "./plan.ts";
import { livePlayer, type ProposerKind } from "./players.ts";
import { absoluteZeroPresets } from "./presets.ts";
import { checkAbsoluteZero, needsOfAbsoluteZero } from "./requirements.ts";
import { seed } from "./seeding.ts";
import { train, type Arena } from "./self-play.ts";
import { executorOf, openSandbox, servicesOf } from "./services.ts";
import { comparison, lastFigures, roundRow, roundTable, showSeeds, type Compared } from "./show.ts";
import { warmUp } from "./warm-up.ts";
import { modelOptions, openWorld } from "./worlds.ts";

const controlKinds = {
  "random-proposals": { proposer: "random", name: "on random proposals" },
  "frozen-proposer": { proposer: "frozen", name: "on a frozen proposer's" },
} as const satisfies Record<string, { proposer: ProposerKind; name: string }>;

export const recipe: Recipe<typeof absoluteZeroOptions> = defineRecipe({
  id: "absolute-zero",
  title: "Absolute Zero: self-play reasoning without data",
  paper: "arXiv:2505.03335v3",
  summary: "a model proposes Python tasks that it can learn from, and learns to solve them",
  version: 1,
  options: absoluteZeroOptions,
  presets: absoluteZeroPresets,
  check: checkAbsoluteZero,
  needs: needsOfAbsoluteZero,
  plan: async (options) => planAbsoluteZero(options),
  unusedOptions,
  run: async (run) => {
    await using sandbox = await openSandbox(run.options);
    const world = await openWorld(run.options, run.random);
    // Awaited here: the sandbox closes when this function ends.
    return await play({ run, world, executor: executorOf(run.options, sandbox) });
  },
});

async function play(arena: Arena): Promise<JsonValue> {
  const { run, world, executor } = arena;
  const { options } = run;
  const model = modelOptions(options, world, run.random);
  const player = await run.model("player", model);
  const start = await run.step("start", { models: [player] }, async (step) => {
    if (options.world === "lists" && options.warmUp.updates > 0) {
      const updates = await warmUp(player, world, { options, step });
      step.metric("warm-up/loss", 0, updates.at(-1)?.loss ?? 0);
    }
    return player.publish();
  });
  const startFigures = await run.step("evaluate-start", {}, async (step) =>
    evaluate(arena, { name: "player", version: start, step, index: 0 }),
  );
  const seeds = await run.step("seeds", {}, async (step) =>
    seed({
      options,
      step,
      world,
      executor,
      services: servicesOf(options, executor, world),
      player: livePlayer(run, world, start),
    }),
  );
  showSeeds(run.report, seeds);

  const table = roundTable(run.report);
  const selfPlay = await train(
    arena,
    player,
    { name: "player", proposer: "self", start, seeds: seeds.tasks },
    (round) => roundRow(table, options, round),
  );
  const compared: Compared[] = [{ name: "by self-play", rounds: selfPlay }];
  for (const kind of options.controls) {
    const { proposer, name } = controlKinds[kind];
    const policy = await run.model(`control-${kind}`, model);
    const rounds = await train(
      arena,
      policy,
      { name: `control-${kind}`, proposer, start, seeds: seeds.tasks },
      () => undefined,
    );
    compared.push({ name, rounds });
  }
  comparison(run.report, options, startFigures, compared);
  return resultOf(run, startFigures, compared);
}

function resultOf(
  { options }: Run<AbsoluteZeroOptions>,
  start: JsonValue,
  compared: readonly Compared[],
): JsonValue {
  const ends = compared.map(({ name, rounds }): [string, JsonValue] => [
    name,
    { figures: lastFigures(rounds), counts: rounds.at(-1)?.counts ?? {} },
  ]);
  return { start, steps: options.stepCount, end: Object.fromEntries(ends) };
}
