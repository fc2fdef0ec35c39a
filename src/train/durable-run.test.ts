import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { SparError, systemClock } from "../base/index.ts";
import { tokens, type Datum, type Model, type PolicyVersion } from "../contract/index.ts";
import { openRunReader, RunStore } from "../store/index.ts";
import { createFakeEngine, expectCode, type FakeEngine } from "../testing/index.ts";
import { temporaryFolder } from "../../test/fixtures/durability/records.ts";
import { resumeRun, startRun, type RunOutcome } from "./execute-run.ts";
import type { RunEvent } from "./observer.ts";
import { defineRecipe, type Recipe } from "./recipe.ts";
import type { Policy, Run } from "./run.ts";
import { listSavedPolicies } from "./saved-policies.ts";

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));

const options = z.strictObject({ rate: z.number().default(0.1), checkpointEverySteps: z.int().default(1) });
type Options = z.output<typeof options>;
type Body = (run: Run<Options>) => Promise<unknown>;

function recipeOf(body: Body, version = 1): Recipe<typeof options> {
  return defineRecipe({
    id: "test",
    title: "test",
    paper: null,
    summary: "test",
    version,
    options,
    presets: { nano: { summary: "all defaults", options: {}, engine: "fake" } },
    needs: () => [],
    plan: async () => ({ lines: [], steps: [], memoryBytes: null, diskBytes: null, inputs: [] }),
    run: async (run) => JSON.parse(JSON.stringify((await body(run)) ?? null)),
  });
}

interface Trial {
  readonly engine?: FakeEngine;
  readonly signal?: AbortSignal;
  readonly events?: RunEvent[];
  readonly every?: number;
}

const common = (name: string, body: Body, trial: Trial, version = 1) => ({
  recipe: recipeOf(body, version),
  folder: join(root, name),
  engineFactory: async () => trial.engine ?? createFakeEngine(),
  clock: systemClock,
  stopTimeoutMs: 30,
  observer: (event: RunEvent) => void trial.events?.push(event),
  ...(trial.signal === undefined ? {} : { signal: trial.signal }),
});

const start = (name: string, body: Body, trial: Trial = {}): Promise<RunOutcome> =>
  startRun({
    ...common(name, body, trial),
    preset: "nano",
    overrides: { checkpointEverySteps: trial.every ?? 1 },
    seed: 1,
    engineName: "fake",
    software: { spar: "test", node: "test", commit: null },
  });

const resume = (name: string, body: Body, trial: Trial = {}, version = 1): Promise<RunOutcome> =>
  resumeRun(common(name, body, trial, version));

const architecture = { vocabularySize: 6, contextLength: 16, width: 4, layerCount: 1, headCount: 1 };
const fresh = { from: { kind: "architecture", architecture, seed: 1 } } as const;
const row: Datum = {
  input: [tokens([1, 2])],
  targets: Int32Array.from([2, 3]),
  weights: Float32Array.from([1, 1]),
};

async function train(model: Model): Promise<void> {
  await Promise.all([
    model.forwardBackward([row], { kind: "crossEntropy" }),
    model.optimStep({ kind: "sgd", learningRate: 0.5 }),
  ]);
}

async function logprob(model: Model): Promise<number> {
  return (await model.forward([row])).logprobs[0]?.[0] ?? Number.NaN;
}

class Stop extends Error {}

test("a committed step gives its result again without running, and the rest goes on", async () => {
  const ran: string[] = [];
  const body =
    (fails: boolean): Body =>
    async (run) => {
      const first = await run.step("first", {}, async (step) => {
        ran.push("first");
        return { number: step.random.integer(1000), text: "x" };
      });
      return run.step("second", {}, async () => {
        ran.push("second");
        if (fails) throw new Stop("told to");
        return first.number * 2;
      });
    };
  await expectCode(start("again", body(true)), "step-failed");
  const { result } = await resume("again", body(false));
  expect(ran).toEqual(["first", "second", "second"]);
  expect((await resume("again", body(false))).result).toBe(result);
  expect(ran, "a finished run runs nothing").toHaveLength(3);
});

test("models continue with weights and optimizer where the last commit left them", async () => {
  const body =
    (stopAfter: number): Body =>
    async (run) => {
      const policy = await run.model("policy", fresh);
      for (let index = 0; index < 4; index++) {
        if (index === stopAfter) throw new Stop("told to");
        await run.step(`train ${index}`, { models: [policy] }, async () => {
          await train(policy.model);
          return null;
        });
      }
      return run.step("measure", {}, async () => logprob(policy.model));
    };
  const whole = await start("whole", body(-1));
  await start("stopped", body(2)).catch(() => undefined);
  expect((await resume("stopped", body(-1))).result).toBe(whole.result);
  const engine = createFakeEngine();
  await start("untouched", body(0)).catch(() => undefined);
  expect((await resume("untouched", body(-1), { engine })).result).toBe(whole.result);
});

test("states are what the last commit left, and what a failed step did to them is forgotten", async () => {
  const body =
    (fails: boolean): Body =>
    async (run) => {
      const count = run.state("count", { value: 0 });
      const seen: number[] = [];
      for (let index = 0; index < 3; index++) {
        await run.step(`count ${index}`, { states: [count] }, async () => {
          count.set({ value: count.get().value + 10 });
          if (fails && index === 1) throw new Stop("told to");
          return null;
        });
        seen.push(count.get().value);
      }
      return seen;
    };
  await start("states", body(true)).catch(() => undefined);
  expect((await resume("states", body(false))).result).toEqual([10, 20, 30]);
});

test("a state changes where it is set, not where what it gave is changed", async () => {
  const body: Body = async (run) => {
    const pool = run.state("pool", { names: ["first"] });
    pool.get().names.push("not set");
    await run.step("add", { states: [pool] }, async () => {
      const { names } = pool.get();
      pool.set({ names: [...names, "second"] });
      pool.get().names.push("not set");
    });
    return pool.get();
  };
  expect((await start("pool", body)).result).toEqual({ names: ["first", "second"] });
});

test("policies whose names are like places of saves keep checkpoints of their own", async () => {
  const body: Body = async (run) => {
    const other = await run.model("a-3", { from: { ...fresh.from, seed: 2 } });
    // Joined by "-", its save at 1 and the second save of "a" at 3 would both be "a-3-1".
    const kept = await run.step("publish other", { models: [other] }, async () => other.publish());
    const policy = await run.model("a", fresh);
    const last = await run.step("publish twice", { models: [policy] }, async () => {
      await policy.publish();
      await train(policy.model);
      return policy.publish();
    });
    return { kept, last };
  };
  await start("alike", body);
  using reader = openRunReader(join(root, "alike"));
  const folders = listSavedPolicies(reader).flatMap(({ weights }) =>
    weights.map(({ checkpoint }) => checkpoint),
  );
  expect(new Set(folders).size).toBe(folders.length);
});

test("a version of an earlier process samples the same after a resume, and one that was released is gone", async () => {
  const sampled: unknown[] = [];
  const body =
    (stops: boolean): Body =>
    async (run) => {
      const policy = await run.model("policy", fresh);
      const versions = await run.step("publish", { models: [policy] }, async () => {
        const first = await policy.publish();
        await train(policy.model);
        const second = await policy.publish();
        sampled.push(await sampleOf(run, first), await sampleOf(run, second));
        return { first, second };
      });
      await run.step("release", { models: [policy] }, async () => {
        await run.engine.releaseVersion(versions.second);
        await expectCode(sampleOf(run, versions.second), "version-unknown");
        await policy.release();
        return null;
      });
      if (stops) throw new Stop("told to");
      return run.step("sample", {}, async () => {
        sampled.push(await sampleOf(run, versions.first));
        await expectCode(sampleOf(run, versions.second), "version-unknown");
        await expectCode(sampleOf(run, { ...versions.first, digest: "other" }), "version-unknown");
        return versions.first.number;
      });
    };
  await start("versions", body(true)).catch(() => undefined);
  expect(
    readdirSync(join(root, "versions", "checkpoints")),
    "the weights of the released one are gone",
  ).toHaveLength(1);
  await resume("versions", body(false));
  expect(sampled[2]).toEqual(sampled[0]);
  expect(sampled[1]).not.toEqual(sampled[0]);
});

async function sampleOf(run: Run<Options>, version: PolicyVersion): Promise<unknown> {
  const { sequences } = await run.engine.sample(version, {
    prompt: [tokens([1])],
    parameters: { maxTokens: 12, seed: 4 },
  });
  return sequences.map(({ tokenIds, logprobs }) => ({ tokenIds, logprobs: [...logprobs] }));
}

test("with seldom saves the steps after the last one are repeated, and told so", async () => {
  const ran: string[] = [];
  const body =
    (stops: boolean): Body =>
    async (run) => {
      const policy = await run.model("policy", fresh);
      for (let index = 0; index < 5; index++) {
        await run.step(`train ${index}`, { models: [policy] }, async () => {
          ran.push(`train ${index}`);
          await train(policy.model);
          return null;
        });
      }
      if (stops) throw new Stop("told to");
      return run.step("measure", {}, async () => logprob(policy.model));
    };
  await start("seldom", body(true), { every: 3 }).catch(() => undefined);
  expect(ran.splice(0)).toHaveLength(5);
  const events: RunEvent[] = [];
  const { result } = await resume("seldom", body(false), { events });
  expect(ran).toEqual(["train 3", "train 4"]);
  expect(events.find((event) => event.kind === "run-start")).toMatchObject({
    committedStepCount: 4,
    repeatedSteps: ["train 3", "train 4"],
  });
  expect(result).toBe((await start("often", body(false))).result);
  expect(
    readdirSync(join(root, "seldom", "checkpoints")),
    "the end of a run saves every model, and keeps no more",
  ).toHaveLength(1);
});

test("reports and metrics are stored once, in the order of the program, and shown again on resume", async () => {
  const body =
    (stops: boolean): Body =>
    async (run) => {
      run.report.note("before");
      const table = run.report.table("results", [{ name: "index" }]);
      await run.step("one", {}, async (step) => {
        run.report.note("inside");
        step.metric("train/loss", 0, 0.5);
        return null;
      });
      table.row(1);
      if (stops) throw new Stop("told to");
      await run.step("two", {}, async () => null);
      run.report.note("after");
    };
  const first: RunEvent[] = [];
  await start("reports", body(true), { events: first }).catch(() => undefined);
  const second: RunEvent[] = [];
  await resume("reports", body(false), { events: second });
  const shown = (events: readonly RunEvent[]): unknown[] =>
    events.flatMap((event) => (event.kind === "report" ? [event.event] : []));
  expect(shown(second).slice(0, 4)).toEqual(shown(first));
  using reader = openRunReader(join(root, "reports"));
  expect([...reader.reports()].map(({ event }) => event)).toEqual(shown(second));
  expect([...reader.metrics()]).toEqual([{ stepName: "one", index: 0, name: "train/loss", value: 0.5 }]);
});

test("a run whose recipe, options or order of steps changed is refused with what changed", async () => {
  const body =
    (name: string, stops: boolean): Body =>
    async (run) => {
      const policy = await run.model("policy", fresh);
      await run.step(name, { models: [policy] }, async () => null);
      if (stops) throw new Stop("told to");
    };
  await start("changed", body("a", true)).catch(() => undefined);
  expect((await expectCode(resume("changed", body("b", false)), "run-changed")).message).toContain(
    'was step "a"',
  );
  expect((await expectCode(resume("changed", body("a", false), {}, 2), "run-changed")).message).toContain(
    "version 2",
  );
  const other = resumeRun({ ...common("changed", body("a", false), {}), overrides: { rate: 0.5 } });
  expect((await expectCode(other, "run-changed")).message).toContain("rate: 0.1, now 0.5");
  const larger: Body = async (run) => {
    await run.model("policy", {
      from: { kind: "architecture", architecture: { ...architecture, width: 5 }, seed: 1 },
    });
  };
  await expectCode(resume("changed", larger), "run-changed");
  await expectCode(
    resume("changed", async () => null),
    "run-changed",
  );
  await resume("changed", body("a", false));
});

test("names, nesting and use outside of steps are checked", async () => {
  let number = 0;
  const refused = (body: Body, code: string): Promise<unknown> =>
    expectCode(start(`rules-${number++}`, body), code);
  const step = (run: Run<Options>, name: string): Promise<null> => run.step(name, {}, async () => null);
  const made = (run: Run<Options>): Promise<Policy> => run.model("policy", fresh);
  await refused(async (run) => [await step(run, "a"), await step(run, "a")], "name-taken");
  await refused(async (run) => step(run, "a\nb"), "invalid-name");
  await refused(async (run) => run.model("Policy!", fresh), "invalid-name");
  await refused(async (run) => run.step("a", {}, async () => step(run, "b")), "step-nested");
  await refused(async (run) => Promise.all([step(run, "a"), step(run, "b")]), "step-nested");
  await refused(async (run) => (await made(run)).model, "outside-step");
  await refused(async (run) => run.state("s", 1).set(2), "outside-step");
  await refused(async (run) => {
    const state = run.state("s", 1);
    await run.step("a", {}, async () => state.set(2));
  }, "not-named-by-step");
  await refused(async (run) => {
    const policy = await made(run);
    await run.step("a", {}, async () => train(policy.model));
  }, "not-named-by-step");
  await refused(async (run) => {
    const policy = await made(run);
    await run.step(
      "a",
      { models: [policy] },
      async () => void (await policy.model.forwardBackward([row], { kind: "crossEntropy" })),
    );
  }, "gradients-pending");
  await refused(async (run) => {
    const policy = await made(run);
    await run.step("a", { models: [policy] }, async () => policy.model.publish());
  }, "policy-owned");
  await refused(async (run) => run.step("a", {}, async (one) => one.metric("Loss", 0, 1)), "invalid-name");
  await refused(
    async (run) => run.step("a", {}, async () => ({ deep: [new Float32Array(1)] })),
    "result-not-json",
  );
  await refused(async (run) => run.step("a", {}, async () => Number.NaN), "result-not-json");
});

test("after a failed step nothing follows but a resume", async () => {
  const body: Body = async (run) => {
    await run.step("a", {}, async () => Promise.reject(new Stop("told to"))).catch(() => null);
    return run.step("b", {}, async () => null);
  };
  await expectCode(start("after", body), "step-failed");
});

test("a sampler that kept old weights is caught at publication", async () => {
  const engine = createFakeEngine({ faults: [{ kind: "forget-refresh", nth: 2 }] });
  const body: Body = async (run) => {
    const policy = await run.model("policy", fresh);
    await run.step("a", { models: [policy] }, async () => {
      await policy.publish();
      for (let index = 0; index < 5; index++) await train(policy.model);
      return policy.publish();
    });
  };
  await expectCode(start("stale", body, { engine }), "stale-sampler");
});

test("an engine that does not answer ends the run within its deadline", async () => {
  const engine = createFakeEngine({ faults: [{ kind: "hang", call: "save", nth: 1 }] });
  const body: Body = async (run) => {
    const policy = await run.model("policy", fresh);
    await run.step("a", { models: [policy] }, async () => policy.publish());
  };
  const hung = startRun({
    ...common("hang", body, { engine }),
    preset: "nano",
    seed: 1,
    engineName: "fake",
    software: { spar: "test", node: "test", commit: null },
    engineTimeoutMs: 50,
  });
  expect((await expectCode(hung, "deadline-exceeded")).message).toContain("saving the model policy");
});

test("what ended a run is told, not what went wrong while it was closed", async () => {
  const body: Body = async (run) =>
    run.step("a", {}, async () => {
      const close = vi.spyOn(RunStore.prototype, "close").mockImplementation(function (this: RunStore) {
        close.mockRestore();
        this.close();
        throw new Error("no room for what waits");
      });
      throw new SparError({ code: "disk-full", boundary: "store", message: "no room for the step" });
    });
  expect((await expectCode(start("closing", body), "disk-full")).message).toBe("no room for the step");
});

test("an engine that starts too late is closed, not left running", async () => {
  const late = createFakeEngine();
  const started = Promise.withResolvers<FakeEngine>();
  const begun = startRun({
    ...common("late", async () => null, {}),
    engineFactory: async () => started.promise,
    preset: "nano",
    seed: 1,
    engineName: "fake",
    software: { spar: "test", node: "test", commit: null },
    engineTimeoutMs: 10,
  });
  await expectCode(begun, "deadline-exceeded");
  started.resolve(late);
  await vi.waitFor(() => expectCode(late.createModel({ name: "any", ...fresh }), "engine-closed"));
});

test("a cancelled run ends soon, also where a body does not listen, and can be resumed", async () => {
  const controller = new AbortController();
  const events: RunEvent[] = [];
  const body =
    (hangs: boolean): Body =>
    async (run) => {
      await run.step("a", {}, async () => 1);
      return run.step("b", {}, async () => {
        if (!hangs) return 2;
        controller.abort();
        return new Promise<number>(() => undefined);
      });
    };
  await expectCode(start("cancelled", body(true), { signal: controller.signal, events }), "aborted");
  expect(events.at(-1)).toEqual({ kind: "run-end", outcome: "interrupted" });
  using reader = openRunReader(join(root, "cancelled"));
  expect(reader.status()).toBe("interrupted");
  expect((await resume("cancelled", body(false))).result).toBe(2);
});

test("nothing is written where something is refused before the start", async () => {
  const body: Body = async () => null;
  const begin = {
    ...common("refused", body, {}),
    seed: 1,
    engineName: "fake",
    software: { spar: "t", node: "t", commit: null },
  };
  await expectCode(startRun({ ...begin, preset: "nono" }), "unknown-preset");
  await expectCode(startRun({ ...begin, preset: "nano", overrides: { rat: 1 } }), "unknown-option");
  const recipe = { ...recipeOf(body), needs: () => ["images"] as const };
  await expectCode(
    startRun({
      ...begin,
      recipe,
      preset: "nano",
      engineFactory: async () => createFakeEngine({ without: ["images"] }),
    }),
    "capability-missing",
  );
  expect(existsSync(join(root, "refused"))).toBe(false);
});

test("left-over checkpoints of a crash are removed, and one that was cut is refused", async () => {
  const body =
    (stops: boolean): Body =>
    async (run) => {
      const policy = await run.model("policy", fresh);
      await run.step("a", { models: [policy] }, async () => train(policy.model).then(() => null));
      if (stops) throw new Stop("told to");
      return run.step("b", {}, async () => logprob(policy.model));
    };
  await start("left", body(true)).catch(() => undefined);
  const checkpoints = join(root, "left", "checkpoints");
  writeFileSync(join(checkpoints, "orphan"), "half");
  const [folder = ""] = readdirSync(checkpoints).filter((name) => name !== "orphan");
  const file = join(checkpoints, folder, readdirSync(join(checkpoints, folder))[0] ?? "");
  writeFileSync(file, "{}");
  await expectCode(resume("left", body(false)), "run-corrupt");
  expect(existsSync(join(checkpoints, "orphan"))).toBe(false);
});
