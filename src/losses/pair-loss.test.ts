import { describe, expect, test } from "vitest";
import { expectCode } from "../testing/expect-code.ts";
import { expectClose, expectGolden } from "../testing/expect-golden.ts";
import { printedTo, tolerances } from "../testing/tolerances.ts";
import { pairLoss, pairMeans } from "./pair-loss.ts";
import { pairConstants } from "./pair-rows.ts";
import { pairShapes } from "./pair-shape.ts";
import { evaluatePairs, pairData, type PairNumbers } from "./fixtures/pair-data.ts";

const exact = tolerances.float64;
/** The specification prints six decimals. */
const printed = printedTo(6);

const e1: PairNumbers = [-42, -35.5, -45, -33];

interface Example {
  readonly numbers: PairNumbers;
  readonly beta: number;
  readonly margin: number;
  readonly logistic: number;
  readonly realGradient: number;
  readonly hinge: number;
  readonly correlation: number;
  readonly exponential: number;
  readonly rewards: readonly [number, number];
}

/** The worked numbers E0-E6 of the method's specification. */
const examples: Readonly<Record<string, Example>> = {
  E0: {
    numbers: [-45, -33, -45, -33],
    beta: 0.1,
    margin: 0,
    logistic: 0.693147,
    realGradient: -0.05,
    hinge: 1,
    correlation: 1,
    exponential: 1,
    rewards: [0, 0],
  },
  E1: {
    numbers: e1,
    beta: 0.1,
    margin: 0.55,
    logistic: 0.455492,
    realGradient: -0.036586,
    hinge: 0.45,
    correlation: 0.45,
    exponential: 0.57695,
    rewards: [0.3, -0.25],
  },
  E2: {
    numbers: [-50, -30, -45, -33],
    beta: 0.1,
    margin: -0.8,
    logistic: 1.171101,
    realGradient: -0.068997,
    hinge: 1.8,
    correlation: 1.8,
    exponential: 2.225541,
    rewards: [-0.5, 0.3],
  },
  E3: {
    numbers: e1,
    beta: 5,
    margin: 27.5,
    logistic: 1.139992e-12,
    realGradient: -5.699959e-12,
    hinge: 0,
    correlation: -26.5,
    exponential: 1.139992e-12,
    rewards: [15, -12.5],
  },
  E4: {
    numbers: [-44.9, -33.2, -45, -33],
    beta: 5,
    margin: 1.5,
    logistic: 0.201413,
    realGradient: -0.912128,
    hinge: 0,
    correlation: -0.5,
    exponential: 0.22313,
    rewards: [0.5, -1],
  },
  E5: {
    numbers: [-40, -60, -45, -33],
    beta: 0.1,
    margin: 3.2,
    logistic: 0.039953,
    realGradient: -0.003917,
    hinge: 0,
    correlation: -2.2,
    exponential: 0.040762,
    rewards: [0.5, -2.7],
  },
  E6: {
    numbers: [-47, -43, -45, -33],
    beta: 0.1,
    margin: 0.8,
    logistic: 0.371101,
    realGradient: -0.031003,
    hinge: 0.2,
    correlation: 0.2,
    exponential: 0.449329,
    rewards: [-0.2, -1],
  },
};

describe("worked numbers", () => {
  for (const [id, example] of Object.entries(examples)) {
    test(`${id}: four losses, gradient, margin and rewards`, () => {
      expectGolden({
        input: example.numbers,
        perturbed: [example.numbers[0] + 0.01, example.numbers[1], example.numbers[2], example.numbers[3]],
        expected: {
          values: pairShapes.map((shape) => example[shape]),
          margin: example.margin,
          gradient: example.realGradient,
          rewards: [...example.rewards],
        },
        tolerance: printed,
        compute: (numbers) => {
          const result = evaluatePairs([numbers], { beta: example.beta });
          const values = pairShapes.map(
            (shape) => evaluatePairs([numbers], { beta: example.beta, shape }).value,
          );
          const means = pairMeans(result.metrics);
          return {
            values,
            margin: means["pair/margin/mean"] ?? Number.NaN,
            gradient: result.gradients.logprobs?.[0]?.[1] ?? Number.NaN,
            rewards: [
              means["pair/realReward/mean"] ?? Number.NaN,
              means["pair/generatedReward/mean"] ?? Number.NaN,
            ],
          };
        },
      });
    });
  }

  test("E3 keeps its digits where the loss is tiny", () => {
    const { value, gradients } = evaluatePairs([e1], { beta: 5 });
    const relative = { relative: 1e-6, absolute: 0 };
    expectClose([value, gradients.logprobs?.[0]?.[1] ?? 0], [1.139992e-12, -5.699959e-12], relative, "E3");
  });

  test("T1: the batch E1, E2, E5 has the stated means, and the rows of a pair opposite gradients", () => {
    const numbers = [examples["E1"], examples["E2"], examples["E5"]].flatMap((example) =>
      example === undefined ? [] : [example.numbers],
    );
    const { value, gradients, metrics } = evaluatePairs(numbers);
    const means = pairMeans(metrics);
    expectClose(value, 0.555515, printed, "mean loss");
    expectClose(means["pair/accuracy/mean"] ?? 0, 2 / 3, exact, "accuracy");
    expectClose(means["pair/realReward/mean"] ?? 0, 0.1, printed, "real reward");
    expectClose(means["pair/generatedReward/mean"] ?? 0, -0.883333, printed, "generated reward");
    const rows = gradients.logprobs ?? [];
    for (const pair of [0, 1, 2]) {
      expect(rows[2 * pair]?.[0], "the prompt token").toBe(0);
      expect(rows[2 * pair]?.[1]).toBe(-(rows[2 * pair + 1]?.[1] ?? 0));
      expect(rows[2 * pair]?.[1]).toBe(rows[2 * pair]?.[2]);
    }
  });

  test("T1: the reference is frozen: gradients are for log-probabilities of the policy alone", () => {
    expect(Object.keys(evaluatePairs([e1]).gradients)).toEqual(["logprobs"]);
  });

  test("T2: the first step of an iteration has loss log 2 for any beta, accuracy 0, gradient beta/2", () => {
    for (const beta of [0.1, 5]) {
      const { value, gradients, metrics } = evaluatePairs([[-45, -33, -45, -33]], { beta });
      expectClose(value, Math.LN2, exact, "loss");
      expectClose(Math.abs(gradients.logprobs?.[0]?.[1] ?? 0), beta / 2, exact, "gradient");
      expect(pairMeans(metrics)).toMatchObject({
        "pair/accuracy/mean": 0,
        "pair/realReward/mean": 0,
        "pair/generatedReward/mean": 0,
      });
    }
  });

  test("T3: the loss can fall while the real row loses log-probability, and the displacement is counted", () => {
    const { value, metrics } = evaluatePairs([examples["E6"]?.numbers ?? e1]);
    expect(value).toBeLessThan(Math.LN2);
    expect(metrics["pair/displaced/sum"]).toBe(1);
    expect(evaluatePairs([e1]).metrics["pair/displaced/sum"]).toBe(0);
  });
});

describe("what counts", () => {
  test("tokens of weight 0 are inert and the size of a weight does not matter", () => {
    const { data, logprobs } = pairData([e1]);
    const loss = pairLoss({ beta: 0.1, pairCount: 1 });
    const before = loss.evaluate({ logprobs }, data);
    const otherPrompt = logprobs.map((row) => row.with(0, -123));
    const halved = data.map((datum) => ({ ...datum, weights: Float32Array.of(0, 0.5, 0.25) }));
    expect(loss.evaluate({ logprobs: otherPrompt }, halved)).toEqual(before);
  });

  test("a reference may be one sum or one number per token", () => {
    const { data, logprobs } = pairData([e1]);
    const perToken = data.map((datum) => {
      const sum = Number(datum.constants?.[pairConstants.reference]);
      return {
        ...datum,
        constants: { ...datum.constants, [pairConstants.reference]: Float32Array.of(-99, sum / 2, sum / 2) },
      };
    });
    const loss = pairLoss({ beta: 0.1, pairCount: 1 });
    expect(loss.evaluate({ logprobs }, perToken)).toEqual(loss.evaluate({ logprobs }, data));
  });

  test("length normalisation divides by the trained tokens, the NLL term pulls the real row up", () => {
    const normalized = evaluatePairs([e1], { isLengthNormalized: true });
    expectClose(normalized.metrics["pair/margin/sum"] ?? 0, 0.275, exact, "half of 0.55 for two tokens");
    const plain = evaluatePairs([e1]);
    const withNll = evaluatePairs([e1], { realNll: { coefficient: 0.5 } });
    expectClose(withNll.value - plain.value, 0.5 * 42, exact, "value");
    const added = (withNll.gradients.logprobs?.[0]?.[1] ?? 0) - (plain.gradients.logprobs?.[0]?.[1] ?? 0);
    expectClose(added, -0.5, exact, "gradient");
    expect(withNll.gradients.logprobs?.[1]).toEqual(plain.gradients.logprobs?.[1]);
  });

  test("a pair's weight scales its share and its place in the means", () => {
    const { data, logprobs } = pairData([e1, [-50, -30, -45, -33]], [2, 0]);
    const weighted = pairLoss({ beta: 0.1, pairCount: 2 }).evaluate({ logprobs }, data);
    expectClose(weighted.value, evaluatePairs([e1]).value, exact, "value");
    expectClose(pairMeans(weighted.metrics)["pair/margin/mean"] ?? 0, 0.55, exact, "mean margin");
  });
});

describe("refusals", () => {
  const attempt = async (
    change: (data: ReturnType<typeof pairData>["data"]) => ReturnType<typeof pairData>["data"],
  ) => {
    const { data, logprobs } = pairData([e1]);
    return pairLoss({ beta: 0.1, pairCount: 1 }).evaluate({ logprobs }, change(data));
  };

  test("rows that are no pair are refused", async () => {
    await expectCode(
      attempt((data) => data.map(({ groupId: _groupId, ...datum }) => datum)),
      "invalid-input",
    );
    await expectCode(
      attempt((data) => data.map((datum, row) => ({ ...datum, groupId: `alone-${row}` }))),
      "invalid-input",
    );
    await expectCode(
      attempt((data) => data.map((datum) => ({ ...datum, constants: { ...datum.constants, pairSide: 1 } }))),
      "invalid-input",
    );
    await expectCode(
      attempt((data) =>
        data.map((datum) => ({ ...datum, constants: { ...datum.constants, pairSide: 0.5 } })),
      ),
      "invalid-input",
    );
    await expectCode(
      attempt((data) => data.map((datum) => ({ ...datum, constants: { pairSide: 1 } }))),
      "invalid-input",
    );
    await expectCode(
      attempt((data) => data.map((datum) => ({ ...datum, weights: new Float32Array(3) }))),
      "invalid-input",
    );
  });

  test("settings without meaning are refused", async () => {
    for (const bad of [
      { beta: 0 },
      { beta: Number.NaN },
      { pairCount: 0 },
      { realNll: { coefficient: -1 } },
    ]) {
      await expectCode(
        Promise.resolve().then(() => pairLoss({ beta: 0.1, pairCount: 1, ...bad })),
        "invalid-input",
      );
    }
  });
});
