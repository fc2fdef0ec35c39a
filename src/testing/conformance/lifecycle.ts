/** Conformance: calls end early when told to, in time or with an error, and closing ends everything. */
import { expect } from "vitest";
import { tokens } from "../../contract/index.ts";
import { expectCode } from "../expect-code.ts";
import { expectChanged, expectSame, forwardOf, type ConformanceTest } from "./context.ts";
import { mixedRows } from "./data.ts";
import { draw } from "./sampling.ts";

const crossEntropy = { kind: "crossEntropy" } as const;

export const lifecycleTests: readonly ConformanceTest[] = [
  {
    title: "a call whose signal has fired is refused as aborted and does nothing",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        const data = mixedRows(model);
        const before = await forwardOf(model, data);
        const call = { signal: AbortSignal.abort() };
        await expectCode(model.forwardBackward(data, crossEntropy, call), "aborted");
        await expectCode(model.forward(data, call), "aborted");
        const request = { prompt: [tokens([1, 2])], parameters: { maxTokens: 2, seed: 0 } };
        await expectCode(context.engine.sample(version, request, call), "aborted");
        await expectCode(model.optimStep(context.smoothOptimizer(0.1)), "invalid-input");
        expectSame(context, await forwardOf(model, data), before);
      }),
  },
  {
    title: "a signal ends a call that waits, and the calls around it go on",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        const data = mixedRows(model);
        const cancelled = new AbortController();
        const first = forwardOf(model, data);
        const waiting = model.forward(data, { signal: cancelled.signal });
        const last = forwardOf(model, data);
        cancelled.abort();
        await expectCode(waiting, "aborted");
        expectSame(context, await last, await first);
        const sampling = new AbortController();
        const version = await model.publish();
        const request = { prompt: [tokens([1, 2])], parameters: { maxTokens: 16, seed: 0 } };
        const lost = context.engine.sample(version, request, { signal: sampling.signal });
        const kept = context.engine.sample(version, request);
        sampling.abort();
        await expectCode(lost, "aborted");
        expect((await kept).sequences.length).toBe(1);
      }),
  },
  {
    title: "cancelled work leaves no gradient",
    needs: ["loss:crossEntropy", "cancel"],
    run: async (context) => {
      const run = (isDisturbed: boolean): Promise<readonly Float32Array[]> =>
        context.withModel(async (model) => {
          const data = mixedRows(model);
          const before = await forwardOf(model, data);
          const cancelled = new AbortController();
          const kept = model.forwardBackward(data.slice(0, 2), crossEntropy);
          const dropped = isDisturbed
            ? model.forwardBackward(data.slice(2), crossEntropy, { signal: cancelled.signal })
            : null;
          const step = model.optimStep(context.smoothOptimizer(0.05));
          cancelled.abort();
          if (dropped !== null) await expectCode(dropped, "aborted");
          await Promise.all([kept, step]);
          const after = await forwardOf(model, data);
          expectChanged(context, after, before);
          return after;
        });
      expectSame(context, await run(true), await run(false));
    },
  },
  {
    title: "a call that does not come in time fails as deadline-exceeded, and the model goes on",
    run: (context) =>
      context.withModel(async (model) => {
        const data = mixedRows(model);
        const before = await forwardOf(model, data);
        const queue = Array.from({ length: 60 }, () => model.forward(data));
        const error = await expectCode(model.forward(data, { timeoutMs: 1 }), "deadline-exceeded");
        expect(error.retryable).toBe(true);
        await Promise.all(queue);
        expectSame(context, await forwardOf(model, data), before);
      }),
  },
  {
    title: "the event loop turns while the engine works",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        let turns = 0;
        let isDone = false;
        const turn = (): void => {
          turns += 1;
          if (!isDone) setImmediate(turn);
        };
        setImmediate(turn);
        // Several, one after another: the answer to a single small call can come within one turn.
        for (let call = 0; call < 10; call++) await model.forwardBackward(mixedRows(model), crossEntropy);
        isDone = true;
        expect(turns).toBeGreaterThan(0);
      }),
  },
  {
    title: "a released model refuses every call, and releasing twice is harmless",
    needs: ["loss:crossEntropy"],
    run: async (context) => {
      const model = await context.createModel();
      const data = mixedRows(model);
      await model.release();
      await model.release();
      await expectCode(model.forward(data), "model-released");
      await expectCode(model.forwardBackward(data, crossEntropy), "model-released");
      await expectCode(model.optimStep(context.smoothOptimizer(0.1)), "model-released");
      await expectCode(model.publish(), "model-released");
      await expectCode(model.save(await context.newFolder()), "model-released");
    },
  },
  {
    title: "closing ends calls that are under way, and nothing works afterwards",
    run: async (context) => {
      const engine = await context.createEngine();
      const model = await engine.createModel({ ...context.modelUnderTest, name: "conformance-closing" });
      const version = await model.publish();
      const data = mixedRows(model);
      const underWay = Array.from({ length: 40 }, () => model.forward(data));
      const settled = Promise.allSettled(underWay);
      await engine.close();
      await engine.close();
      const last = (await settled).at(-1);
      expect(last?.status).toBe("rejected");
      if (last?.status === "rejected") expect(last.reason).toMatchObject({ code: "aborted" });
      await expectCode(model.forward(data), "engine-closed");
      await expectCode(
        engine.sample(version, { prompt: [tokens([1])], parameters: { maxTokens: 1, seed: 0 } }),
        "engine-closed",
      );
      await expectCode(engine.createModel({ ...context.modelUnderTest, name: "too-late" }), "engine-closed");
      await context.withModel(async (other) => {
        const others = await other.publish();
        const [sequence] = await draw(context, others, [1, 2], { maxTokens: 1, seed: 0 });
        expect(sequence?.tokenIds.length, "another engine is not disturbed").toBe(1);
      });
    },
  },
];
