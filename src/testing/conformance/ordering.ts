/** Conformance: calls on one model execute in the order of submission, and gradients add up. */
import { expect } from "vitest";
import type { Datum, Model } from "../../contract/index.ts";
import { expectCode } from "../expect-code.ts";
import { expectClose } from "../expect-golden.ts";
import { widened } from "../tolerances.ts";
import { expectChanged, expectSame, forwardOf, type ConformanceTest } from "./context.ts";
import { mixedRows, scaleWeights } from "./data.ts";
import { asCustomLoss } from "./losses.ts";

const crossEntropy = { kind: "crossEntropy" } as const;

export const orderingTests: readonly ConformanceTest[] = [
  {
    title: "calls that are submitted together equal calls that are awaited one by one",
    needs: ["loss:crossEntropy"],
    run: async (context) => {
      const optimizer = context.smoothOptimizer(0.05);
      const awaited = await context.withModel(async (model) => {
        const data = mixedRows(model);
        for (let step = 0; step < 3; step++) {
          await model.forwardBackward(data, crossEntropy);
          await model.optimStep(optimizer);
        }
        return forwardOf(model, data);
      });
      const together = await context.withModel(async (model) => {
        const data = mixedRows(model);
        const before = await forwardOf(model, data);
        const calls: Promise<unknown>[] = [];
        for (let step = 0; step < 3; step++) {
          calls.push(model.forwardBackward(data, crossEntropy), model.optimStep(optimizer));
        }
        const last = forwardOf(model, data);
        await Promise.all(calls);
        expectChanged(context, await last, before);
        return last;
      });
      expectSame(context, together, awaited);
    },
  },
  {
    title: "later calls wait for a custom loss",
    run: async (context) => {
      const optimizer = context.smoothOptimizer(0.05);
      const run = (isAwaited: boolean): Promise<readonly Float32Array[]> =>
        context.withModel(async (model) => {
          const data = mixedRows(model);
          const custom = model.forwardBackwardCustom(data, asCustomLoss(crossEntropy));
          if (isAwaited) await custom;
          const step = model.optimStep(optimizer);
          if (isAwaited) await step;
          const [, , after] = await Promise.all([custom, step, forwardOf(model, data)]);
          return after;
        });
      expectSame(context, await run(false), await run(true));
    },
  },
  {
    title: "gradients add up until optimStep and are then gone",
    needs: ["loss:crossEntropy"],
    run: async (context) => {
      const optimizer = context.smoothOptimizer(0.05);
      const run = (
        accumulate: (model: Model, data: readonly Datum[]) => Promise<void>,
      ): Promise<readonly Float32Array[]> =>
        context.withModel(async (model) => {
          const data = mixedRows(model);
          await accumulate(model, data);
          await model.optimStep(optimizer);
          await expectCode(model.optimStep(optimizer), "invalid-input");
          return forwardOf(model, data);
        });
      const twice = await run(async (model, data) => {
        await model.forwardBackward(data, crossEntropy);
        await model.forwardBackward(data, crossEntropy);
      });
      const doubled = await run(async (model, data) => {
        await model.forwardBackward(scaleWeights(data, 2), crossEntropy);
      });
      const once = await run(async (model, data) => {
        await model.forwardBackward(data, crossEntropy);
      });
      expectClose(
        twice,
        doubled,
        widened(context.tolerance, 10, "sums in another order"),
        "two calls and doubled weights",
      );
      expectChanged(context, once, doubled);
    },
  },
  {
    title: "forward leaves no gradient behind",
    run: (context) =>
      context.withModel(async (model) => {
        await model.forward(mixedRows(model));
        await expectCode(model.optimStep(context.smoothOptimizer(0.05)), "invalid-input");
      }),
  },
  {
    title: "optimStep counts the steps of the model",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        const counts: number[] = [];
        for (let step = 0; step < 3; step++) {
          await model.forwardBackward(mixedRows(model, 1), crossEntropy);
          counts.push((await model.optimStep(context.smoothOptimizer(0.01))).stepCount);
        }
        expect(counts).toEqual([1, 2, 3]);
      }),
  },
  {
    title: "discardGradients drops what has accumulated",
    needs: ["loss:crossEntropy", "discard-gradients"],
    run: (context) =>
      context.withModel(async (model) => {
        const data = mixedRows(model);
        await model.forwardBackward(data, crossEntropy);
        await model.discardGradients();
        await expectCode(model.optimStep(context.smoothOptimizer(0.05)), "invalid-input");
      }),
  },
];
