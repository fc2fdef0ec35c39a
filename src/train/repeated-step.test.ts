import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { systemClock, type JsonValue } from "../base/index.ts";
import { tokens, type CreateModelOptions, type Engine, type Model } from "../contract/index.ts";
import { scriptedPlayer } from "../players/index.ts";
import { playEpisodes } from "../rollouts/index.ts";
import { openRunReader } from "../store/index.ts";
import { createFakeEngine } from "../testing/index.ts";
import { temporaryFolder } from "../../test/fixtures/durability/records.ts";
import { echoGame, smallRecipe, tokenPlayer } from "../../test/fixtures/durability/small-recipe.ts";
import { resumeRun, startRun } from "./execute-run.ts";

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** An engine that cannot read the weights it publishes. */
function withoutDigests(engine: Engine): Engine {
  const blind = (model: Model): Model =>
    new Proxy(model, {
      get: (target, key) => {
        if (key === "publish")
          return async (...args: Parameters<Model["publish"]>) => ({
            ...(await target.publish(...args)),
            digest: null,
          });
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  return new Proxy(engine, {
    get: (target, key) => {
      if (key === "createModel")
        return async (options: CreateModelOptions) => blind(await target.createModel(options));
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Plays inside the step that trained and published, fails once after it, and says how often a seat was asked. */
async function playTwice(
  name: string,
  rates: readonly [number, number],
  hasDigests: boolean,
): Promise<{ asked: number; result: JsonValue }> {
  let asked = 0;
  const attempt = (rate: number, fails: boolean) => ({
    ...smallRecipe,
    run: async (run: Parameters<typeof smallRecipe.run>[0]): Promise<JsonValue> => {
      const architecture = { vocabularySize: 8, contextLength: 64, width: 8, layerCount: 1, headCount: 1 };
      const policy = await run.model("policy", { from: { kind: "architecture", architecture, seed: 3 } });
      return run.step("play", { models: [policy] }, async (step) => {
        const row = { input: [tokens([1])], targets: Int32Array.from([2]), weights: Float32Array.from([1]) };
        await Promise.all([
          policy.model.forwardBackward([row], { kind: "crossEntropy" }),
          policy.model.optimStep({ kind: "sgd", learningRate: rate }),
        ]);
        const player = tokenPlayer(run.engine, await policy.publish());
        const counted = {
          ...player,
          reply: (...args: Parameters<typeof player.reply>) => (asked++, player.reply(...args)),
        };
        const episodes = await playEpisodes({
          step,
          game: echoGame,
          tasks: [1, 2, 3].map((number) => ({ id: `t${number}`, task: { number } })),
          seats: { speaker: counted },
          services: { double: async (input) => Number(input) * 2 },
        });
        if (fails) throw new Error("told to");
        return episodes.map(({ turns }) => turns.map(({ logprobs }) => [...logprobs]));
      });
    },
  });
  const folder = join(root, name);
  const common = {
    folder,
    clock: systemClock,
    engineFactory: async () => (hasDigests ? createFakeEngine() : withoutDigests(createFakeEngine())),
  };
  const begin = {
    preset: "nano",
    seed: 1,
    engineName: "fake",
    software: { spar: "t", node: "t", commit: null },
  };
  await startRun({ ...common, ...begin, recipe: attempt(rates[0], true) }).catch(() => undefined);
  const { result } = await resumeRun({ ...common, recipe: attempt(rates[1], false) });
  return { asked, result };
}

test.each([true, false])(
  "a repeated step that makes the same weights keeps its episodes (digests: %s)",
  async (hasDigests) => {
    expect((await playTwice(`same-${hasDigests}`, [0.5, 0.5], hasDigests)).asked).toBe(6);
  },
);

test.each([true, false])(
  "a repeated step that makes other weights plays its episodes anew (digests: %s)",
  async (hasDigests) => {
    const { asked, result } = await playTwice(`other-${hasDigests}`, [0.5, 0.7], hasDigests);
    expect(asked).toBe(12);
    expect(result).toEqual((await playTwice(`fresh-${hasDigests}`, [0.7, 0.7], hasDigests)).result);
  },
);

test("what an earlier try played and the repeated one does not play any more does not count", async () => {
  const folder = join(root, "left-over");
  const attempt = (taskCount: number, fails: boolean) => ({
    ...smallRecipe,
    run: async (run: Parameters<typeof smallRecipe.run>[0]): Promise<JsonValue> => {
      await run.step("play", {}, async (step) => {
        const found = step.turns().length;
        await playEpisodes({
          step,
          game: echoGame,
          tasks: Array.from({ length: taskCount }, (_, number) => ({ id: `t${number}`, task: { number } })),
          seats: { speaker: scriptedPlayer({ name: "script", reply: () => "3" }) },
          services: { double: async (input) => Number(input) * 2 },
        });
        if (fails) throw new Error("told to");
        const episodeIds = new Set(step.turns().map(({ episodeId }) => episodeId));
        return { found, episodeCount: episodeIds.size };
      });
      return run.step("read", {}, async (step) => {
        return [...new Set(step.turns("play").map(({ episodeId }) => episodeId))];
      });
    },
  });
  const common = { folder, clock: systemClock, engineFactory: async () => createFakeEngine() };
  const begin = {
    preset: "nano",
    seed: 1,
    engineName: "fake",
    software: { spar: "t", node: "t", commit: null },
  };
  await startRun({ ...common, ...begin, recipe: attempt(4, true) }).catch(() => undefined);
  const { result } = await resumeRun({ ...common, recipe: attempt(2, false) });
  expect(result).toEqual(["play/episodes#0", "play/episodes#1"]);
  using reader = openRunReader(folder);
  expect([...reader.episodes()].map(({ start }) => start.id)).toEqual(result);
  expect([...reader.steps()].find(({ name }) => name === "play")?.result).toEqual({
    found: 0,
    episodeCount: 2,
  });
});
