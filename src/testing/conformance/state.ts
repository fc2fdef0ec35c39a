/** Conformance: states go to disk and come back, whole or not at all. */
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Datum, Model } from "../../contract/index.ts";
import { expectCode } from "../expect-code.ts";
import {
  expectChanged,
  expectSame,
  forwardOf,
  type ConformanceContext,
  type ConformanceTest,
} from "./context.ts";
import { mixedRows } from "./data.ts";
import { train } from "./versions.ts";

const crossEntropy = { kind: "crossEntropy" } as const;

export const stateTests: readonly ConformanceTest[] = [
  {
    title: "a model that was saved and loaded goes on as if nothing had happened",
    needs: ["loss:crossEntropy"],
    run: async (context) => {
      const folder = await context.newFolder();
      const [middle, uninterrupted] = await context.withModel(async (model) => {
        await train(context, model);
        const saved = await model.save(folder);
        expect(saved.folder).toBe(folder);
        expect(saved.bytes).toBeGreaterThan(0);
        const atSave = await forwardOf(model, mixedRows(model));
        await train(context, model);
        return [atSave, await forwardOf(model, mixedRows(model))];
      });
      const resume = (model: Model): Promise<readonly Float32Array[]> => goOn(context, model, middle);
      const loaded = await context.withModel(async (model) => {
        await model.load(folder);
        return resume(model);
      });
      expectSame(context, loaded, uninterrupted);
      const created = await context.withModel(resume, { from: { kind: "saved", folder } });
      expectSame(context, created, uninterrupted);
      const fresh = await context.withModel(async (model) => {
        await model.load(folder, { includeOptimizer: false });
        return resume(model);
      });
      expectChanged(context, fresh, uninterrupted);
    },
  },
  {
    title: "the count of steps is part of the state",
    needs: ["loss:crossEntropy"],
    run: async (context) => {
      const folder = await context.newFolder();
      await context.withModel(async (model) => {
        await train(context, model, 2);
        await model.save(folder);
      });
      await context.withModel(async (model) => {
        await model.load(folder);
        await model.forwardBackward(mixedRows(model), crossEntropy);
        expect((await model.optimStep(context.smoothOptimizer(0.01))).stepCount).toBe(3);
      });
    },
  },
  {
    title: "loading drops accumulated gradients",
    needs: ["loss:crossEntropy"],
    run: async (context) => {
      const folder = await context.newFolder();
      await context.withModel(async (model) => {
        await model.save(folder);
        await model.forwardBackward(mixedRows(model), crossEntropy);
        await model.load(folder);
        await expectCode(model.optimStep(context.smoothOptimizer(0.05)), "invalid-input");
      });
    },
  },
  {
    title: "save refuses a folder that exists and leaves it alone",
    run: async (context) => {
      const folder = await context.newFolder();
      await mkdir(folder);
      await writeFile(join(folder, "mine.txt"), "mine");
      await context.withModel((model) => expectCode(model.save(folder), "invalid-input"));
      expect(await readdir(folder)).toEqual(["mine.txt"]);
    },
  },
  {
    title: "a save that was cancelled leaves a whole state or none",
    run: async (context) => {
      const folder = await context.newFolder();
      await context.withModel(async (model) => {
        const cancelled = new AbortController();
        const saving = model.save(folder, { signal: cancelled.signal });
        cancelled.abort();
        await expectCode(saving, "aborted");
        // Behind the cancelled save in the queue, so that it has ended either way.
        await model.forward(mixedRows(model));
        const exists = await stat(folder).then(
          () => true,
          () => false,
        );
        if (exists) await model.load(folder);
        else await model.save(folder);
        expect((await readdir(join(folder, ".."))).length, "nothing half-written stays beside it").toBe(1);
      });
    },
  },
  {
    title: "what is not a state is unreadable and changes nothing",
    run: async (context) => {
      const missing = await context.newFolder();
      const broken = await context.newFolder();
      const half = await context.newFolder();
      await mkdir(broken);
      await writeFile(join(broken, "weights.safetensors"), "no");
      await context.withModel(async (model) => {
        await model.save(half);
        for (const file of await readdir(half)) await writeFile(join(half, file), "{");
        const data: Datum[] = mixedRows(model);
        const before = await forwardOf(model, data);
        for (const folder of [missing, broken, half])
          await expectCode(model.load(folder), "state-unreadable");
        expectSame(context, await forwardOf(model, data), before);
      });
      await expectCode(context.createModel({ from: { kind: "saved", folder: missing } }), "state-unreadable");
    },
  },
  {
    title: "export writes configuration, weights and tokenizer in the hub's formats",
    run: async (context) => {
      const folder = await context.newFolder();
      await context.withModel((model) => model.export(folder));
      const files = await readdir(folder);
      expect(files).toContain("config.json");
      expect(files.some((file) => file.endsWith(".safetensors"))).toBe(true);
      if (context.modelUnderTest.tokenizer !== undefined) expect(files).toContain("tokenizer.json");
      await context.withModel((model) => expectCode(model.export(folder), "invalid-input"));
    },
  },
];

/** Trains on from a loaded state and tells where it leads. */
async function goOn(
  context: ConformanceContext,
  model: Model,
  expectedStart: readonly Float32Array[],
): Promise<readonly Float32Array[]> {
  expectSame(context, await forwardOf(model, mixedRows(model)), expectedStart);
  await train(context, model);
  return forwardOf(model, mixedRows(model));
}
