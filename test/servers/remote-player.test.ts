/**
 * The remote player against real servers of the chat protocol: the PyTorch worker's own path, and whatever runs at
 * `SPAR_TEST_REMOTE_URL`. Each is skipped without its variable.
 *
 *     SPAR_TEST_WORKER_PYTHON=.venv/bin/python npx vitest run test/servers/remote-player
 *     SPAR_TEST_REMOTE_URL=http://127.0.0.1:8000/v1 SPAR_TEST_REMOTE_MODEL=name npx vitest run test/servers/remote-player \
 *       --testTimeout 300000
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  connect,
  createTrainingModel,
  openAiPlace,
  type Connection,
  type OpenAiPlace,
  type WireRow,
} from "../../src/engines/tinker/index.ts";
import { remotePlayer, type PlayerReply } from "../../src/players/index.ts";
import { describePlayer, expectCode, playerRequest } from "../../src/testing/index.ts";
import { startTinyWorker, workerPython, type TinyWorker } from "./worker-process.ts";

/** A server whose answer never comes. */
const silent: Server = createServer(() => undefined);

beforeAll(async () => {
  await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
});

afterAll(() => {
  silent.closeAllConnections();
  silent.close();
});

function silentUrl(): string {
  return `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`;
}

const ask = playerRequest({
  segments: [
    { kind: "text", role: "system", text: "you play a game of numbers" },
    { kind: "text", role: "user", text: "say one" },
  ],
  choices: null,
  position: null,
  maxTokens: 12,
  seed: 5,
});

const texts = (replies: readonly PlayerReply[]): string[] =>
  replies.map((reply) => (reply.kind === "reply" ? reply.text : reply.kind));

describe.skipIf(workerPython === "")("the worker of SPAR_TEST_WORKER_PYTHON", () => {
  const closing = new AsyncDisposableStack();
  let worker: TinyWorker | null = null;
  let connection: Connection | null = null;

  beforeAll(async () => {
    const started = await startTinyWorker();
    closing.defer(() => started.close());
    const connected = await connect({ url: started.url, key: started.key });
    closing.defer(() => connected.close());
    [worker, connection] = [started, connected];
  }, 400_000);

  afterAll(() => closing.disposeAsync(), 60_000);

  const place = (path?: string): OpenAiPlace => {
    if (worker === null || connection === null) throw new Error("expected a worker that runs");
    const source =
      path === undefined
        ? ({ kind: "base", name: worker.model } as const)
        : ({ kind: "weights", path } as const);
    return openAiPlace(connection, { source, key: worker.key });
  };

  describePlayer({
    name: "a base model behind the worker's path",
    createPlayer: () => remotePlayer({ ...place(), maxTokens: 12 }),
    createWaitingPlayer: () => remotePlayer({ ...place(), baseUrl: silentUrl() }),
    isDeterministic: true,
  });

  test("a version that a client published plays, and what it learned is what it says", async () => {
    if (worker === null || connection === null) throw new Error("expected a worker that runs");
    const model = await createTrainingModel(connection, {
      baseModel: worker.model,
      lora: { rank: 8, seed: 1 },
    });
    const learned = 5; // The letter c.
    const input = [...Array(24).keys()].map((position) => 3 + ((position * 7) % 20));
    const targets = new Int32Array(input.length).fill(learned);
    const rows: WireRow[] = [
      {
        input: [{ kind: "tokens", tokenIds: input }],
        tensors: { target_tokens: targets, weights: new Float32Array(input.length).fill(1) },
      },
    ];
    const value = { learning_rate: 0.05, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0 };
    for (let step = 0; step < 12; step++) {
      const pass = model.pass({ rows, lossName: "cross_entropy" });
      await Promise.all([pass, model.optimStep({ key: "adam_params", value })]);
    }
    const path = await model.saveForSampler();
    const trained = remotePlayer({ ...place(path), temperature: 0, maxTokens: 6 });
    expect(texts(await trained.reply(ask, {}))).toEqual(["cccccc"]);
    const base = remotePlayer({ ...place(), temperature: 0, maxTokens: 6 });
    expect(texts(await base.reply(ask, {}))).not.toEqual(["cccccc"]);
  }, 120_000);

  test("siblings differ, singly or in one request, and a stop string is not part of a reply", async () => {
    const player = remotePlayer({ ...place(), temperature: 2, siblings: "one-request" });
    const siblings = texts(await player.reply({ ...ask, count: 4 }, {}));
    expect(siblings).toHaveLength(4);
    expect(new Set(siblings).size).toBeGreaterThan(1);
    const [first = ""] = texts(await player.reply(ask, {}));
    const stop = first.slice(3, 5);
    const [cut] = texts(await player.reply({ ...ask, stopStrings: [stop] }, {}));
    expect(cut).toBe(first.slice(0, first.indexOf(stop)));
  }, 60_000);

  test("a wrong key and a model that is not there are refused by name", async () => {
    await expectCode(remotePlayer({ ...place(), apiKey: "tml-wrong" }).reply(ask, {}), "remote-unauthorized");
    await expectCode(remotePlayer({ ...place(), model: "absent" }).reply(ask, {}), "remote-not-found");
  }, 60_000);
});

const url = process.env["SPAR_TEST_REMOTE_URL"] ?? "";
const elsewhere = {
  baseUrl: url,
  model: process.env["SPAR_TEST_REMOTE_MODEL"] ?? "",
  apiKey: process.env["SPAR_TEST_REMOTE_KEY"] ?? null,
  maxTokens: 12,
  temperature: 0,
};

describe.skipIf(url === "")("the server at SPAR_TEST_REMOTE_URL", () => {
  test("it answers with text within the limit", async () => {
    const [reply] = await remotePlayer(elsewhere).reply(ask, { timeoutMs: 280_000 });
    if (reply?.kind !== "reply") throw new Error("expected a reply");
    expect(reply.text.length).toBeGreaterThan(0);
  }, 300_000);

  describePlayer({
    name: "a model of another server",
    createPlayer: () => remotePlayer(elsewhere),
    createWaitingPlayer: () => remotePlayer({ ...elsewhere, baseUrl: silentUrl() }),
    isDeterministic: true,
    skip: [
      {
        test: "answers any prompt, or refuses it with a code",
        reason: "servers without a limit of their own compute the longest prompt for minutes",
      },
    ],
  });
});
