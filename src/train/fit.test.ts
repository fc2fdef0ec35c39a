import fc from "fast-check";
import { expect, test } from "vitest";
import { createRandom } from "../base/index.ts";
import { tokens, type CustomLoss, type Datum, type Model } from "../contract/index.ts";
import {
  createFakeEngine,
  expectClose,
  expectCode,
  expectDifferent,
  tolerances,
  type FakeEngine,
} from "../testing/index.ts";
import { countUpdates, fit, type FitOptions, type UpdateShape } from "./fit.ts";
import { groupsOf, microBatches, scaleWeights } from "./fit-batches.ts";
import { constantSchedule } from "./schedules.ts";

const architecture = { vocabularySize: 6, contextLength: 16, width: 4, layerCount: 1, headCount: 1 };

async function modelOf(engine: FakeEngine = createFakeEngine()): Promise<Model> {
  return engine.createModel({ name: "policy", from: { kind: "architecture", architecture, seed: 1 } });
}

function rowOf(first: number, groupId?: string): Datum {
  const ids = [first % 6, (first * 5 + 1) % 6, (first * 3 + 2) % 6, (first + 4) % 6];
  return {
    input: [tokens(ids.slice(0, -1))],
    targets: Int32Array.from(ids.slice(1)),
    weights: Float32Array.from([0, 1, 1]),
    ...(groupId === undefined ? {} : { groupId }),
  };
}

const pairs = Array.from({ length: 14 }, (_value, index) => rowOf(index, `group ${Math.floor(index / 2)}`));

const common = (model: Model, data: readonly Datum[]): FitOptions => ({
  model,
  data,
  loss: { kind: "crossEntropy" },
  reduction: "mean-per-token",
  optimizer: { kind: "adam" },
  schedule: constantSchedule({ learningRate: 0.05 }),
  groupsPerUpdate: 3,
  random: createRandom(1),
  signal: new AbortController().signal,
});

async function logprobs(model: Model): Promise<number[]> {
  return (await model.forward(pairs)).logprobs.flatMap((row) => [...row]);
}

test("every group is trained on once per epoch, whole, in an order of its own", async () => {
  const seen: string[][] = [];
  const loss: CustomLoss = {
    name: "spy",
    evaluate: (outputs, data) => {
      seen.push(data.map((datum) => datum.groupId ?? ""));
      return {
        value: 0,
        gradients: { logprobs: outputs.logprobs.map((row) => row.map(() => 0)) },
        metrics: { "spy/rows/sum": data.length },
      };
    },
  };
  const shapes: UpdateShape[] = [];
  const model = await modelOf();
  const updates = await fit({
    ...common(model, pairs),
    epochs: 2,
    loss: (shape) => (shapes.push(shape), loss),
    microBatchRows: 4,
  });
  expect(countUpdates({ data: pairs, groupsPerUpdate: 3, epochs: 2 })).toBe(6);
  expect(updates.map(({ groupCount, rowCount, tokenCount }) => [groupCount, rowCount, tokenCount])).toEqual([
    [3, 6, 12],
    [3, 6, 12],
    [1, 2, 4],
    [3, 6, 12],
    [3, 6, 12],
    [1, 2, 4],
  ]);
  expect(shapes.map(({ updateIndex, epoch }) => [updateIndex, epoch])).toEqual([
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 1],
    [4, 1],
    [5, 1],
  ]);
  expect(updates[0]?.metrics, "metrics of micro-batches add up").toEqual({ "spy/rows/sum": 6 });
  const flat = seen.flat();
  const [first, second] = [flat.slice(0, 14), flat.slice(14)];
  expect(new Set(first)).toEqual(new Set(pairs.map((datum) => datum.groupId)));
  expect(first).toHaveLength(14);
  expect(second).not.toEqual(first);
  for (const batch of seen) expect(batch.length).toBeLessThanOrEqual(4);
});

test("micro-batches change nothing: losses and weights are those of whole updates", async () => {
  const [whole, split] = [await modelOf(), await modelOf()];
  const first = await fit(common(whole, pairs));
  const second = await fit({ ...common(split, pairs), microBatchRows: 2 });
  expectClose(
    second.map((update) => update.loss),
    first.map((update) => update.loss),
    tolerances.float32,
  );
  expectClose(await logprobs(split), await logprobs(whole), tolerances.float32);
  const other = await modelOf();
  await fit({ ...common(other, pairs.toReversed()) });
  expectDifferent(await logprobs(other), await logprobs(whole), tolerances.float32);
});

test("the same random numbers give the same training, others another", async () => {
  const models = await Promise.all([modelOf(), modelOf(), modelOf()]);
  for (const [index, model] of models.entries())
    await fit({ ...common(model, pairs), random: createRandom(index === 2 ? 9 : 1) });
  const [a, b, c] = await Promise.all(models.map(logprobs));
  expect(b).toEqual(a);
  expect(c).not.toEqual(a);
});

test("the learning rate of each update comes from the schedule", async () => {
  const updates = await fit({
    ...common(await modelOf(), pairs),
    schedule: (index, count) => (index + 1) / (100 * count),
  });
  expect(updates.map(({ learningRate }) => learningRate)).toEqual([1 / 300, 2 / 300, 3 / 300]);
});

test("gradients and the update are sent together, in this order", async () => {
  const engine = createFakeEngine();
  await fit({ ...common(await modelOf(engine), pairs), groupsPerUpdate: 7, microBatchRows: 6 });
  expect(engine.callLog.map(({ kind }) => kind).filter((kind) => kind !== "createModel")).toEqual([
    "forwardBackward",
    "forwardBackward",
    "forwardBackward",
    "optimStep",
  ]);
});

test("a loss that is no number stops the training with its place", async () => {
  const loss: CustomLoss = {
    name: "broken",
    evaluate: (outputs) => ({
      value: Number.NaN,
      gradients: { logprobs: outputs.logprobs.map((row) => row.map(() => 0)) },
      metrics: {},
    }),
  };
  const model = await modelOf();
  const error = await expectCode(
    fit({
      ...common(model, pairs),
      loss: ({ updateIndex }) => (updateIndex === 1 ? loss : { kind: "crossEntropy" }),
    }),
    "loss-not-finite",
  );
  expect(error.facts).toMatchObject({ updateIndex: 1 });
});

test("no rows, a failing engine and a cancelled run are typed errors, and leave no promise behind", async () => {
  await expectCode(fit(common(await modelOf(), [])), "no-data");
  const engine = createFakeEngine({ faults: [{ kind: "fail", call: "forwardBackward", nth: 2 }] });
  await expectCode(fit({ ...common(await modelOf(engine), pairs), microBatchRows: 2 }), "engine-failed");
  await expectCode(fit({ ...common(await modelOf(), pairs), signal: AbortSignal.abort() }), "aborted");
});

test("micro-batches hold every row once, keep groups whole and respect the bound", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 8 }),
      (groupIds, maximum) => {
        const data = groupIds.map((group, index) => rowOf(index, `g${group}`));
        const groups = groupsOf(data);
        const batches = microBatches(groups, maximum);
        expect(batches.flat()).toHaveLength(data.length);
        for (const group of groups)
          expect(
            batches.filter((batch) => batch.some((row) => row.groupId === group[0]?.groupId)),
          ).toHaveLength(1);
        for (const batch of batches) {
          expect(batch.length <= maximum || new Set(batch.map((row) => row.groupId)).size === 1).toBe(true);
        }
      },
    ),
  );
});

test("weights become means over the whole update", () => {
  const groups = [[rowOf(0), rowOf(1)], [rowOf(2)]];
  const sums = (reduction: Parameters<typeof scaleWeights>[1]): number =>
    scaleWeights(groups, reduction, { groupCount: 2, tokenCount: 6 })
      .flat()
      .reduce((sum, row) => sum + row.weights.reduce((a, b) => a + b, 0), 0);
  expect(sums("sum")).toBe(6);
  expect(sums("mean-per-group")).toBe(3);
  expect(Math.abs(sums("mean-per-token") - 1)).toBeLessThan(1e-6);
});

test("training on what an older policy sampled is refused, since training is synchronous", async () => {
  const model = await modelOf();
  await expectCode(fit({ ...common(model, pairs), maximumPolicyLagUpdates: 1 }), "policy-lag-unsupported");
  expect(await fit({ ...common(model, pairs), maximumPolicyLagUpdates: 0 })).not.toHaveLength(0);
});
