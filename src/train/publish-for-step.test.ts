import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { systemClock, type JsonValue } from "../base/index.ts";
import { tokens, type Datum, type Engine, type PolicyVersion } from "../contract/index.ts";
import { playEpisodes } from "../rollouts/index.ts";
import { createFakeEngine, expectCode, type FakeEngine } from "../testing/index.ts";
import { temporaryFolder } from "../../test/fixtures/durability/records.ts";
import { echoGame, smallRecipe, tokenPlayer } from "../../test/fixtures/durability/small-recipe.ts";
import { resumeRun, startRun, type RunOutcome } from "./execute-run.ts";
import type { Policy, Run, Step } from "./run.ts";

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));

const architecture = { vocabularySize: 8, contextLength: 64, width: 8, layerCount: 1, headCount: 1 };
const row: Datum = {
  input: [tokens([1])],
  targets: Int32Array.from([2]),
  weights: Float32Array.from([1]),
};

type Body = (run: Run, policy: Policy) => Promise<JsonValue>;

const recipeOf = (body: Body) => ({
  ...smallRecipe,
  run: async (run: Run) =>
    body(run, await run.model("policy", { from: { kind: "architecture", architecture, seed: 3 } })),
});

const common = (name: string, engine: FakeEngine = createFakeEngine()) => ({
  folder: join(root, name),
  clock: systemClock,
  engineFactory: async () => engine,
});

const start = (name: string, body: Body, engine?: FakeEngine): Promise<RunOutcome> =>
  startRun({
    ...common(name, engine),
    recipe: recipeOf(body),
    preset: "nano",
    seed: 1,
    engineName: "fake",
    software: { spar: "t", node: "t", commit: null },
  });

async function train(policy: Policy): Promise<void> {
  await Promise.all([
    policy.model.forwardBackward([row], { kind: "crossEntropy" }),
    policy.model.optimStep({ kind: "sgd", learningRate: 0.5 }),
  ]);
}

const logprobOf = async (engine: Engine, version: PolicyVersion): Promise<number> =>
  (await engine.computeLogprobs(version, [[tokens([1, 2])]]))[0]?.[0] ?? Number.NaN;

test("each such version has the weights of its moment, and the one before it is gone", async () => {
  const body: Body = async (run, policy) =>
    run.step("updates", { models: [policy] }, async () => {
      const first = await policy.publishForStep();
      const before = await logprobOf(run.engine, first);
      await train(policy);
      const second = await policy.publishForStep();
      const after = await logprobOf(run.engine, second);
      await expectCode(logprobOf(run.engine, first), "version-unknown");
      return {
        before,
        after,
        digests: [first.digest, second.digest],
        numbers: [first.number, second.number],
      };
    });
  const result = (await start("moments", body)).result as {
    before: number;
    after: number;
    digests: string[];
    numbers: number[];
  };
  expect(result.after).toBeGreaterThan(result.before);
  expect(new Set(result.digests).size).toBe(2);
  expect(result.numbers, "both are on the way to the first version").toEqual([1, 1]);
});

test("many of them leave one checkpoint, and none outlives its step", async () => {
  const published: PolicyVersion[] = [];
  const body: Body = async (run, policy) => {
    await run.step("updates", { models: [policy] }, async () => {
      for (let update = 0; update < 5; update++) {
        published.push(await policy.publishForStep());
        await train(policy);
      }
      return null;
    });
    return run.step("after", {}, async () => {
      for (const version of published) await expectCode(logprobOf(run.engine, version), "version-unknown");
      return null;
    });
  };
  await start("many", body);
  expect(readdirSync(join(root, "many", "checkpoints"))).toHaveLength(1);
});

test("a sampler that forgets to refresh is caught", async () => {
  const engine = createFakeEngine({ faults: [{ kind: "forget-refresh", nth: 2 }] });
  const body: Body = async (run, policy) =>
    run.step("updates", { models: [policy] }, async () => {
      await policy.publishForStep();
      for (let update = 0; update < 5; update++) await train(policy);
      await policy.publishForStep();
      return null;
    });
  await expectCode(start("stale", body, engine), "stale-sampler");
});

test("a step that was interrupted goes on with what its versions had played", async () => {
  let asked = 0;
  const play = async (run: Run, step: Step, version: PolicyVersion, update: number): Promise<JsonValue> => {
    const player = tokenPlayer(run.engine, version);
    const counted = {
      ...player,
      reply: (...args: Parameters<typeof player.reply>) => (asked++, player.reply(...args)),
    };
    const episodes = await playEpisodes({
      step,
      game: echoGame,
      name: `update-${update}`,
      tasks: [1, 2].map((number) => ({ id: `t${number}`, task: { number } })),
      seats: { speaker: counted },
      services: { double: async (input) => Number(input) * 2 },
    });
    return episodes.map(({ turns }) => turns.map(({ logprobs }) => [...logprobs]));
  };
  const body =
    (failsAt: number): Body =>
    async (run, policy) =>
      run.step("updates", { models: [policy] }, async (step) => {
        const played: JsonValue[] = [];
        for (let update = 0; update < 3; update++) {
          played.push(await play(run, step, await policy.publishForStep(), update));
          if (update === failsAt) throw new Error("told to");
          await train(policy);
        }
        return played;
      });
  await expectCode(start("interrupted", body(1)), "step-failed");
  expect(asked).toBe(8);
  const resumed = await resumeRun({ ...common("interrupted"), recipe: recipeOf(body(-1)) });
  expect(asked, "two updates were on record").toBe(12);
  expect((await start("whole", body(-1))).result).toEqual(resumed.result);
});
