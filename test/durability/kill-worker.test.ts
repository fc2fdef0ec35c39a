/**
 * Promise 5 on the PyTorch worker: a run whose worker, or whose own process, was killed in the middle of each kind of
 * call equals one that was never killed, weights bit for bit. More of it: `npm run test:long -- kill-worker`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contentOf } from "./content.ts";
import {
  killClients,
  killWorkers,
  makeWorkplace,
  oneKillInEachCall,
  randomWorkerKills,
  type Workplace,
} from "./worker-lives.ts";

const python = process.env["SPAR_TEST_WORKER_PYTHON"] ?? "";
const testTimeoutMs = 1_200_000;
/** Each life starts a worker of its own: continuous integration kills clients in three kinds of calls alone. */
const isShort = process.env["CI"] !== undefined;
const clientKills = isShort
  ? oneKillInEachCall.filter(({ call }) => ["sample", "optimStep", "save"].includes(call))
  : oneKillInEachCall;

describe.skipIf(python === "")("runs on a PyTorch worker (skipped without SPAR_TEST_WORKER_PYTHON)", () => {
  const root = mkdtempSync(join(tmpdir(), "spar-kill-worker-"));
  let place: Workplace;
  let uninterrupted: unknown;

  beforeAll(async () => {
    place = makeWorkplace(root, python, 5);
    await killWorkers(place, join(root, "whole"), []);
    uninterrupted = await contentOf(join(root, "whole"));
  }, testTimeoutMs);
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test(
    "whose worker is killed in the middle of each kind of call equal one that was never killed",
    async () => {
      const report = await killWorkers(place, join(root, "workers"), oneKillInEachCall);
      expect(report).toEqual({ leftKills: 0, goneOnCount: oneKillInEachCall.length });
      expect(await contentOf(join(root, "workers"))).toEqual(uninterrupted);
    },
    testTimeoutMs,
  );

  test(
    "that are killed themselves in the middle of each kind of call equal one that was never killed",
    async () => {
      const killedCount = await killClients(place, join(root, "clients"), clientKills);
      expect(killedCount).toBe(clientKills.length);
      expect(await contentOf(join(root, "clients"))).toEqual(uninterrupted);
    },
    testTimeoutMs,
  );

  test.skipIf(isShort)(
    "whose worker is killed at random moments equal one that was never killed",
    async () => {
      const kills = randomWorkerKills(1, 2);
      expect(await killWorkers(place, join(root, "random"), kills)).toMatchObject({ leftKills: 0 });
      expect(await contentOf(join(root, "random")), JSON.stringify(kills)).toEqual(uninterrupted);
    },
    testTimeoutMs,
  );
});
