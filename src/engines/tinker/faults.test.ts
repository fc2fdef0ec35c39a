/** A network that breaks everywhere: nothing is lost and nothing applied twice, and where that cannot be known it is said. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { tokens, type Datum, type Engine, type Model } from "../../contract/index.ts";
import { expectCode } from "../../testing/index.ts";
import { createEngine, type TinkerEngineOptions } from "./engine.ts";
import { FaultProxy, type Fault } from "./fixtures/fault-proxy.ts";
import { WireServer, type WireServerOptions } from "./fixtures/wire-server.ts";
import type { QueueReport } from "./transport/futures.ts";

const backoff = { firstPauseMs: 1, longestPauseMs: 4, giveUpAfterMs: 20_000 };
const tuning = { kind: "lora", rank: 2, alpha: 32, seed: 1 } as const;
const crossEntropy = { kind: "crossEntropy" } as const;

interface Setting {
  readonly server: WireServer;
  readonly proxy: FaultProxy;
  readonly engine: Engine;
}

const open: Setting[] = [];
afterEach(async () => {
  for (const { engine, proxy, server } of open.splice(0)) {
    await engine.close();
    await proxy.stop();
    await server.stop();
  }
});

async function setUp(server: WireServerOptions = {}, options: TinkerEngineOptions = {}): Promise<Setting> {
  const upstream = new WireServer(server);
  await upstream.start();
  const proxy = new FaultProxy(upstream.port);
  const engine = await createEngine({ url: await proxy.start(), backoff, ...options });
  const setting = { server: upstream, proxy, engine };
  open.push(setting);
  return setting;
}

async function newModel({ engine }: Setting): Promise<Model> {
  return engine.createModel({ name: "m", from: { kind: "base", nameOrFolder: "tiny" }, tuning });
}

function row(seed: number): Datum {
  const ids = Array.from({ length: 6 }, (_unused, index) => (seed + index * 3) % 16);
  const targets = Int32Array.from(ids.slice(1));
  return { input: [tokens(ids.slice(0, -1))], targets, weights: new Float32Array(targets.length).fill(0.2) };
}

/** Passes of several requests each, steps, a save, a sample: what a run does. */
async function work(setting: Setting, stepCount = 3): Promise<string> {
  const model = await newModel(setting);
  for (let step = 0; step < stepCount; step++) {
    const pass = model.forwardBackward([row(step), row(step + 5), row(step + 7)], crossEntropy);
    const update = model.optimStep({ kind: "adamw", learningRate: 0.02 });
    await Promise.all([pass, update]);
  }
  const version = await model.publish();
  const parameters = { maxTokens: 4, seed: 3 };
  const { sequences } = await setting.engine.sample(version, { prompt: [tokens([1, 2])], parameters });
  const { logprobs } = await model.forward([row(1)]);
  await model.release();
  return JSON.stringify([sequences.map(({ tokenIds }) => tokenIds), logprobs.map((values) => [...values])]);
}

const harmless: readonly Fault[] = [
  "none",
  "cut-before",
  "cut-after",
  "cut-middle",
  "duplicate",
  "delay",
  "408",
  "429",
  "500",
  "500-after",
];

describe("a server that recognises repeats", () => {
  test("a run over a network that breaks at any point ends with the numbers of one that did not", async () => {
    const calm = await setUp({ chunkRows: 2 });
    const expected = await work(calm);
    const appliedOnce = calm.server.applied;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...harmless), { maxLength: 60 }), async (plan) => {
        const setting = await setUp({ chunkRows: 2 });
        setting.proxy.plan = [...plan];
        expect(await work(setting)).toBe(expected);
        expect(setting.server.applied, "each request once, in order").toEqual(appliedOnce);
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  test.each(harmless.slice(1))("survives %s at every single request", async (fault) => {
    const calm = await setUp();
    const expected = await work(calm, 1);
    const setting = await setUp();
    // Every second one: a request and its repeats are struck in turns.
    setting.proxy.plan = Array.from({ length: 80 }, (_unused, index) => (index % 2 === 0 ? fault : "none"));
    expect(await work(setting, 1)).toBe(expected);
    expect(setting.server.applied).toEqual(calm.server.applied);
    expect(setting.proxy.log.length).toBeGreaterThan(5);
  });

  test("a result that was forgotten is had by sending the request again, which is not carried out again", async () => {
    const calm = await setUp();
    const expected = await work(calm);
    const setting = await setUp({ forgetsOnce: true });
    expect(await work(setting)).toBe(expected);
    expect(setting.server.applied).toEqual(calm.server.applied);
  });

  test("work that takes longer than polls and all patience is waited for, as long as the server lives", async () => {
    const patience = { firstPauseMs: 5, longestPauseMs: 20, giveUpAfterMs: 100 };
    const setting = await setUp({ workMs: 400 }, { pollTimeoutMs: 50, backoff: patience });
    const calm = await setUp();
    expect(await work(setting, 1)).toBe(await work(calm, 1));
  });

  test("try_again and 408 are waited through, and what the queue does is told", async () => {
    const reports: QueueReport[] = [];
    const onQueue = (report: QueueReport): void => void reports.push(report);
    const setting = await setUp({ tryAgainCount: 2, timeoutCount: 1 }, { onQueue });
    const calm = await setUp();
    expect(await work(setting, 1)).toBe(await work(calm, 1));
    const states = new Set(reports.map(({ state, reason }) => `${state} ${reason ?? ""}`.trim()));
    expect([...states].toSorted()).toEqual(["active others first", "paused-capacity"]);
    expect(reports[0]?.what).toMatch(/^create_model/);
  });
});

describe("a server that does not recognise repeats", () => {
  const strict: WireServerOptions = { isOurs: false, isStrict: true, recognises: false };
  const passes = (path: string): boolean =>
    path.endsWith("/forward_backward") || path.endsWith("/optim_step");

  test.each(["cut-after", "cut-middle", "500-after"] as const)(
    "%s on a pass or a step is answer-lost, nothing is applied twice, and a saved state is the way back",
    async (fault) => {
      for (const struck of ["forward_backward", "optim_step"]) {
        const setting = await setUp(strict, { executor: "verl" });
        const model = await newModel(setting);
        const parent = await mkdtemp(join(tmpdir(), "spar-tinker-"));
        const folder = join(parent, "state");
        await model.save(folder);
        const before = await model.forward([row(1)]);
        const sentBefore = setting.server.requests.length;
        setting.proxy.strikes = (path) => path.endsWith(`/${struck}`);
        setting.proxy.plan = [fault];
        const pass = model.forwardBackward([row(1)], crossEntropy);
        const step = model.optimStep({ kind: "adamw", learningRate: 0.05 });
        const settled = await Promise.allSettled([pass, step]);
        const codes = settled.map((one) =>
          one.status === "rejected" ? (one.reason as { code: string }).code : "ok",
        );
        expect(codes).toEqual(
          struck === "forward_backward" ? ["answer-lost", "answer-lost"] : ["ok", "answer-lost"],
        );
        const sent = setting.server.requests.slice(sentBefore);
        const repeats = sent.filter((request) => request === `POST ${struck}`);
        expect(repeats, "sent once").toHaveLength(1);
        await expectCode(model.forward([row(1)]), "answer-lost");
        await model.load(folder);
        expect((await model.forward([row(1)])).logprobs).toEqual(before.logprobs);
        const again = model.forwardBackward([row(1)], crossEntropy);
        expect((await model.optimStep({ kind: "adamw", learningRate: 0.05 })).stepCount).toBe(1);
        await again;
        await rm(parent, { recursive: true });
      }
    },
  );

  test("a connection that is refused before anything was sent is simply tried again", async () => {
    const setting = await setUp(strict, { executor: "verl" });
    const model = await newModel(setting);
    setting.proxy.strikes = passes;
    setting.proxy.plan = ["429", "408", "429"];
    await model.forwardBackward([row(1)], crossEntropy);
    expect(setting.server.applied.filter((one) => one.startsWith("forward_backward"))).toHaveLength(1);
  });

  test("a save whose answer was lost is made again under another name", async () => {
    const setting = await setUp(strict, { executor: "skyrl" });
    const model = await newModel(setting);
    setting.proxy.strikes = (path) => path.endsWith("save_weights_for_sampler");
    setting.proxy.plan = ["cut-after"];
    const version = await model.publish();
    expect(version.address).toMatch(/version-1-1$/);
  });
});

describe("what cannot be helped", () => {
  test("garbage is an unexpected answer that says what was expected", async () => {
    const setting = await setUp();
    const model = await newModel(setting);
    setting.proxy.plan = ["garbage"];
    const error = await expectCode(model.forward([row(1)]), "unexpected-answer");
    expect(error.message).toContain("expected JSON, got <html>");
    // Who sent it, and whether the number of the call came through, nobody knows.
    await expectCode(model.forward([row(1)]), "answer-lost");
  });

  test.each(["500-after", "cut-after"] as const)(
    "a call that was given up after %s may have been carried out: the model is in doubt until a state is loaded",
    async (fault) => {
      const setting = await setUp({}, { backoff: { ...backoff, giveUpAfterMs: 30 } });
      const model = await newModel(setting);
      const parent = await mkdtemp(join(tmpdir(), "spar-faults-"));
      const folder = join(parent, "state");
      await model.save(folder);
      setting.proxy.strikes = (path) => path.endsWith("forward_backward");
      setting.proxy.plan = Array.from<Fault>({ length: 5000 }).fill(fault);
      await expect(model.forwardBackward([row(1)], crossEntropy)).rejects.toMatchObject({
        facts: { mayHaveArrived: true },
      });
      setting.proxy.plan = [];
      await expectCode(model.forwardBackward([row(1)], crossEntropy), "answer-lost");
      await model.load(folder);
      await model.forwardBackward([row(1)], crossEntropy);
      await model.optimStep({ kind: "adamw", learningRate: 0.1 });
      await rm(parent, { recursive: true, force: true });
    },
  );

  test("a server that stays away is unreachable after a while, and what it may have done is in doubt", async () => {
    const setting = await setUp({}, { backoff: { ...backoff, giveUpAfterMs: 30 } });
    const model = await newModel(setting);
    setting.proxy.plan = Array.from<Fault>({ length: 5000 }).fill("cut-before");
    await expectCode(model.forwardBackward([row(1)], crossEntropy), "server-unreachable");
    setting.proxy.plan = [];
    await expectCode(model.forward([row(1)]), "answer-lost");
  });

  test("a chunk whose answer cannot be read leaves the sum in doubt until a state is loaded", async () => {
    const setting = await setUp({ chunkRows: 1 });
    const model = await newModel(setting);
    setting.proxy.strikes = (path) => path.endsWith("forward_backward");
    setting.proxy.plan = ["none", "garbage"];
    await expectCode(model.forwardBackward([row(1), row(2)], crossEntropy), "unexpected-answer");
    await expectCode(model.optimStep({ kind: "adamw", learningRate: 0.1 }), "answer-lost");
  });

  test("a wrong key is refused at once, and no message holds the right one", async () => {
    const server = new WireServer({ key: "tml-right" });
    const url = await server.start();
    try {
      const error = await expectCode(createEngine({ url, key: "tml-wrong", backoff }), "key-refused");
      expect(JSON.stringify([error.message, error.hint, error.facts])).not.toContain("tml-");
      const engine = await createEngine({ url, key: "tml-right", backoff });
      await engine.close();
    } finally {
      await server.stop();
    }
  });

  test("a session that has ended is noticed by its heartbeat", async () => {
    const setting = await setUp({}, { heartbeatMs: 5 });
    await expect.poll(() => setting.server.heartbeatCount).toBeGreaterThan(1);
    setting.server.isSessionOver = true;
    await expect
      .poll(async () =>
        newModel(setting).then(
          () => "made",
          (error: unknown) => (error as { code: string }).code,
        ),
      )
      .toBe("not-found");
  });
});
