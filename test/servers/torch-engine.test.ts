/** Engine `torch` with the real worker: what it says without starting is what it says once started. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { capabilities, createEngine } from "../../src/engines/torch/engine.ts";
import { workerPython } from "./worker-process.ts";

describe.skipIf(workerPython === "")("engine torch (skipped without SPAR_TEST_WORKER_PYTHON)", () => {
  const dataFolder = mkdtempSync(path.join(tmpdir(), "spar-torch-"));
  afterAll(() => rmSync(dataFolder, { recursive: true, force: true }));

  test.each([false, true])(
    "its capabilities are those of the worker (may download: %s)",
    async (mayDownload) => {
      const engine = await createEngine({
        threadCount: 1,
        environment: process.env,
        dataFolder,
        options: { python: workerPython, device: "cpu", mayDownload },
      });
      try {
        const without = [...capabilities].filter((one) => mayDownload || one !== "hub-models");
        expect([...engine.capabilities].toSorted()).toEqual(without.toSorted());
        expect(engine.description).toMatchObject({ id: "torch", precision: "float32" });
      } finally {
        await engine.close();
      }
    },
    300_000,
  );
});
