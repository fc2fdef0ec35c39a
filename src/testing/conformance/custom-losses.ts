/** Conformance: custom losses see the right numbers, report back, fail cleanly, and reach their outputs. */
import { expect } from "vitest";
import { tokens, type CustomLoss, type Datum, type LossOutputs } from "../../contract/index.ts";
import { expectCode } from "../expect-code.ts";
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

export const customLossTests: readonly ConformanceTest[] = [
  {
    title: "a custom loss sees forward's log-probabilities and its value and metrics come back",
    run: (context) =>
      context.withModel(async (model) => {
        const data = mixedRows(model).map((datum, row) => ({
          ...datum,
          groupId: `group-${row % 2}`,
          constants: { row },
        }));
        const before = await forwardOf(model, data);
        const seen: { outputs: LossOutputs; data: readonly Datum[] }[] = [];
        const result = await model.forwardBackwardCustom(data, {
          name: "watcher",
          evaluate: (outputs, rows) => {
            seen.push({ outputs, data: rows });
            return { value: 12.5, gradients: {}, metrics: { "watcher/answer": 42 } };
          },
        });
        expect(result.loss).toBe(12.5);
        expect(result.metrics["watcher/answer"]).toBe(42);
        expectSame(context, result.logprobs, before);
        expect(seen.length).toBe(1);
        const tolerance = widened(context.tolerance, 1, "outputs are float64, returned numbers float32");
        expectClose(seen[0]?.outputs.logprobs ?? [], before, tolerance, "outputs");
        expect(seen[0]?.data.map((datum) => [datum.groupId, datum.constants?.["row"]])).toEqual(
          data.map((datum) => [datum.groupId, datum.constants.row]),
        );
      }),
  },
  {
    title: "a custom loss that throws fails its own call alone",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        const data = mixedRows(model);
        const before = await forwardOf(model, data);
        const broken: CustomLoss = {
          name: "broken",
          evaluate: () => {
            throw new Error("the loss is broken");
          },
        };
        const failing = model.forwardBackwardCustom(data, broken);
        const later = forwardOf(model, data);
        await expect(failing).rejects.toThrow("the loss is broken");
        expectSame(context, await later, before);
        await expectCode(model.optimStep(context.smoothOptimizer(0.05)), "invalid-input");
      }),
  },
  {
    title: "outputs that need one pass are refused where there is none",
    run: async (context) => {
      const outputs = (["entropies", "values"] as const).filter(
        (output) => !context.has("one-pass-custom-loss") || !context.has(output),
      );
      if (outputs.length === 0) return context.skip("the engine gives every output");
      for (const output of outputs) {
        await context.withModel(async (model) => {
          const loss: CustomLoss = {
            name: "reader",
            reads: [output],
            evaluate: () => ({ value: 0, gradients: {}, metrics: {} }),
          };
          await expectCode(model.forwardBackwardCustom(mixedRows(model), loss), "capability-missing");
        });
      }
    },
  },
  {
    title: "entropies are those of the model's own distribution, and training on them moves them",
    needs: ["entropies", "one-pass-custom-loss"],
    isOverVocabulary: true,
    run: (context) =>
      context.withModel(async (model) => {
        const prompt = [1, 2, 3];
        const everyNext = Array.from({ length: model.vocabularySize }, (_unused, tokenId) =>
          rowOf([...prompt, tokenId], Float32Array.of(0, 0, 1)),
        );
        const entropyOfNext = async (): Promise<number> => {
          const logprobs = (await forwardOf(model, everyNext)).map((row) => row[2] ?? 0);
          return -logprobs.reduce((sum, logprob) => sum + Math.exp(logprob) * logprob, 0);
        };
        let seen = Number.NaN;
        const sharpen: CustomLoss = {
          name: "sharpen",
          reads: ["entropies"],
          evaluate: ({ entropies }) => {
            seen = entropies?.[0]?.[2] ?? Number.NaN;
            return { value: seen, gradients: { entropies: [Float64Array.of(0, 0, 1)] }, metrics: {} };
          },
        };
        const before = await entropyOfNext();
        await model.forwardBackwardCustom(everyNext.slice(0, 1), sharpen);
        expectClose(seen, before, widened(context.tolerance, 10, "a sum over the vocabulary"), "entropy");
        await model.optimStep(context.smoothOptimizer(0.05));
        const after = await entropyOfNext();
        expect(after).toBeLessThan(before - 10 * context.tolerance.absolute);
      }),
  },
  {
    title: "a value head learns by regression and computeValues reads it",
    needs: ["values", "one-pass-custom-loss"],
    run: async (context) => {
      // What learns a small model diverges in a large one: some rate of a wide range has to do.
      const shares: number[] = [];
      for (const rate of [1e-2, 1e-3, 1e-4]) {
        shares.push(await lossShareAfterRegression(context, rate));
        if (shares.some((share) => share < 0.9)) return;
      }
      expect.fail(`the loss of a value head fell at no rate: ${shares.join(", ")} of its start`);
    },
  },
  {
    title: "embeddings have one width and depend on the input",
    needs: ["embeddings"],
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        const inputs = [[tokens([1, 2, 3])], [tokens([1, 2, 4])], [tokens([1, 2, 3])]];
        const [first, other, again] = await context.engine.embed(version, inputs);
        expect(first?.length).toBe(other?.length);
        // Not normalised: what rounding does is a share of the largest entry.
        const scale = Math.max(...(first ?? []).map(Math.abs));
        const [scaledFirst = [], scaledOther = [], scaledAgain = []] = [first, other, again].map((row) =>
          Array.from(row ?? [], (entry) => entry / scale),
        );
        expectSame(context, [scaledAgain], [scaledFirst], ["batch-invariant"]);
        expectChanged(context, [scaledOther], [scaledFirst]);
      }),
  },
];

/** Trains values towards 1.5 with six steps, and checks on the way that `computeValues` reads what the loss saw. */
async function lossShareAfterRegression(context: ConformanceContext, rate: number): Promise<number> {
  const goal = 1.5;
  return context.withModel(
    async (model) => {
      const data = mixedRows(model);
      let seen: readonly Float64Array[] = [];
      const regression: CustomLoss = {
        name: "regression",
        reads: ["values"],
        evaluate: ({ values = [] }) => {
          seen = values;
          const gradients = values.map((row) => row.map((value) => 2 * (value - goal)));
          const value = values.reduce(
            (sum, row) => sum + row.reduce((total, entry) => total + (entry - goal) ** 2, 0),
            0,
          );
          return { value, gradients: { values: gradients }, metrics: {} };
        },
      };
      const version = await model.publish();
      const first = await model.forwardBackwardCustom(data, regression);
      const read = await context.engine.computeValues(
        version,
        data.map((datum) => datum.input),
      );
      expectClose(read, seen, widened(context.tolerance, 10, "values are not normalised"), "values");
      await model.optimStep(context.fastOptimizer(rate));
      for (let step = 0; step < 5; step++) {
        await model.forwardBackwardCustom(data, regression);
        await model.optimStep(context.fastOptimizer(rate));
      }
      const last = await model.forwardBackwardCustom(data, regression);
      return last.loss / first.loss;
    },
    { head: "value" },
  );
}
