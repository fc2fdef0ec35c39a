/** Conformance: what a batch is made of changes no row of it. */
import { expect } from "vitest";
import type { Datum, Model } from "../../contract/index.ts";
import { expectClose } from "../expect-golden.ts";
import { widened } from "../tolerances.ts";
import {
  expectChanged,
  expectSame,
  forwardOf,
  type ConformanceContext,
  type ConformanceTest,
} from "./context.ts";
import { mixedRows, rowOf } from "./data.ts";

const crossEntropy = { kind: "crossEntropy" } as const;

export const batchTests: readonly ConformanceTest[] = [
  {
    title: "a batch in parts gives the loss and the update of the whole batch",
    needs: ["loss:crossEntropy"],
    run: async (context) => {
      const whole = await trainOn(context, (data) => [data]);
      const parts = await trainOn(context, (data) => [data.slice(0, 1), data.slice(1, 3), data.slice(3)]);
      const tolerance = widened(context.tolerance, 10, "sums in another order");
      expectClose(parts.loss, whole.loss, tolerance, "loss");
      expectClose(parts.after, whole.after, tolerance, "log-probabilities after the step");
      const incomplete = await trainOn(context, (data) => [data.slice(0, 1)]);
      expectChanged(context, incomplete.after, whole.after);
    },
  },
  {
    title: "a row's log-probabilities do not depend on longer company",
    run: (context) =>
      context.withModel(async (model) => {
        const short = rowOf([1, 2, 3], Float32Array.of(1, 1));
        const longIds = Array.from(
          { length: Math.min(12, model.contextLength) },
          (_unused, index) => (index * 3) % model.vocabularySize,
        );
        const long = rowOf(longIds, new Float32Array(longIds.length - 1).fill(1));
        const alone = await forwardOf(model, [short]);
        const inCompany = await forwardOf(model, [long, short, long]);
        expectSame(context, [inCompany[1] ?? []], alone, ["batch-invariant"]);
        expectSame(context, [inCompany[2] ?? []], [inCompany[0] ?? []], ["batch-invariant"]);
      }),
  },
  {
    title: "rows in another order give the same numbers in that order",
    run: (context) =>
      context.withModel(async (model) => {
        const data = mixedRows(model);
        const forwards = await forwardOf(model, data);
        const backwards = await forwardOf(model, data.toReversed());
        expectSame(context, backwards.toReversed(), forwards, ["batch-invariant"]);
      }),
  },
  {
    title: "tokens of weight 0 change neither loss nor update",
    needs: ["loss:crossEntropy"],
    run: async (context) => {
      const withTail =
        (tail: number): ((data: readonly Datum[]) => Datum[][]) =>
        () => [
          [rowOf([1, 2, 3, 4], Float32Array.of(1, 1, 0)), rowOf([2, 1, 5, tail], Float32Array.of(0.5, 1, 0))],
        ];
      const first = await trainOn(context, withTail(0));
      const second = await trainOn(context, withTail(6));
      expectClose(second.loss, first.loss, context.tolerance, "loss");
      expectSame(context, second.after, first.after);
    },
  },
  {
    title: "a batch whose weights are all 0 has loss 0 and moves nothing",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        const data = mixedRows(model).map((datum) => ({
          ...datum,
          weights: new Float32Array(datum.weights.length),
        }));
        const before = await forwardOf(model, data);
        const result = await model.forwardBackward(data, crossEntropy);
        expect(Math.abs(result.loss)).toBe(0);
        await model.optimStep(context.smoothOptimizer(0.5));
        expectSame(context, await forwardOf(model, data), before);
      }),
  },
];

interface Trained {
  readonly loss: number;
  readonly after: readonly Float32Array[];
}

/** Trains a fresh model by one step on the parts and measures it on the mixed rows. */
function trainOn(
  context: ConformanceContext,
  split: (data: readonly Datum[]) => readonly (readonly Datum[])[],
): Promise<Trained> {
  return context.withModel(async (model: Model) => {
    const data = mixedRows(model);
    let loss = 0;
    for (const part of split(data)) loss += (await model.forwardBackward(part, crossEntropy)).loss;
    await model.optimStep(context.smoothOptimizer(0.05));
    return { loss, after: await forwardOf(model, data) };
  });
}
