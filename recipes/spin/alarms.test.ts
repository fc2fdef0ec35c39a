import { resolveOptions } from "spar/train";
import { expect, test } from "vitest";
import { alarms, type SeenIteration } from "./alarms.ts";
import { recipe } from "./recipe.ts";

const options = resolveOptions(recipe, "nano");
const answers = { answeredCount: 100, differentCount: 50, cutCount: 0, meanTokens: 3 };
const trained = {
  version: { modelId: "player", number: 2, address: "a", digest: null },
  pairCount: 50,
  updateCount: 2,
  firstLoss: 0.6932,
  mismatchNats: 1e-7,
  realReward: 0.5,
  generatedReward: -0.5,
  margin: 1,
  rewardAccuracy: 0.8,
  realShiftNats: 0,
};
const figures = (nllNats: number): SeenIteration["start"] => ({
  greedyAccuracy: 0.5,
  expectedAccuracy: 0.4,
  nllNats,
  nllPerTokenNats: nllNats / 3,
  greedyTokens: 3,
  greedyCutShare: 0,
});
const healthy: SeenIteration = {
  start: figures(2),
  evaluated: figures(1.5),
  first: answers,
  answers,
  trained,
  precision: "float32",
};

test("a healthy iteration raises no alarm, a worse likelihood that recovers neither", () => {
  expect(alarms(options, 1, healthy)).toEqual([]);
  expect(alarms(options, 1, { ...healthy, evaluated: figures(3) })).toEqual([]);
});

test.each([1e12, 5.1, Number.NaN, Number.POSITIVE_INFINITY])(
  "a held-out NLL of %d is a divergence",
  (nllNats) => {
    expect(alarms(options, 1, { ...healthy, evaluated: figures(nllNats) })).toEqual([
      expect.stringMatching(/^Alarm: after iteration 1 .* training diverges; lower the learning rate$/),
    ]);
  },
);

test("more answers unlike the references than at first are a collapse, falling references a displacement", () => {
  const worse = { ...answers, differentCount: 66 };
  expect(alarms(options, 2, { ...healthy, answers: worse })).toEqual([
    expect.stringMatching(/answers 66 prompts unlike the references, 50 at the start: a collapse/),
  ]);
  expect(alarms(options, 2, { ...healthy, trained: { ...trained, realShiftNats: -5.1 } })).toEqual([
    expect.stringMatching(/by 5\.10 nats: displacement/),
  ]);
});

test("an iteration that does not begin where nothing has moved is told, by the loss that it has", () => {
  const begun = (firstLoss: number): SeenIteration => ({ ...healthy, trained: { ...trained, firstLoss } });
  const told = [expect.stringMatching(/^Alarm: iteration 1 began with a loss of .* expected 0\.693147/)];
  expect(alarms(options, 1, begun(0.695))).toEqual(told);
  expect(alarms(options, 1, begun(Number.NaN))).toEqual(told);
  expect(alarms(options, 1, { ...begun(0.695), precision: "bfloat16" })).toEqual([]);
  expect(alarms({ ...options, loss: "hinge" }, 1, begun(1))).toEqual([]);
  expect(alarms({ ...options, loss: "hinge" }, 1, begun(0.6931))).toHaveLength(1);
});
