import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectCode } from "../testing/expect-code.ts";
import { expectClose, expectGolden, finiteDifference } from "../testing/expect-golden.ts";
import { printedTo, tolerances, widened } from "../testing/tolerances.ts";
import { addMetrics } from "./metrics.ts";
import { pairLoss, pairMeans, type PairLossOptions } from "./pair-loss.ts";
import { pairConstants } from "./pair-rows.ts";
import { pairShapes, pairShapeValue } from "./pair-shape.ts";
import { pairData, type PairNumbers } from "./pair-test-data.ts";

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

function evaluate(numbers: readonly PairNumbers[], options: Partial<PairLossOptions> = {}) {
  const { data, logprobs } = pairData(numbers);
  return pairLoss({ beta: 0.1, pairCount: numbers.length, ...options }).evaluate({ logprobs }, data);
}

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
          const result = evaluate([numbers], { beta: example.beta });
          const values = pairShapes.map((shape) => evaluate([numbers], { beta: example.beta, shape }).value);
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
    const { value, gradients } = evaluate([e1], { beta: 5 });
    const relative = { relative: 1e-6, absolute: 0 };
    expectClose([value, gradients.logprobs?.[0]?.[1] ?? 0], [1.139992e-12, -5.699959e-12], relative, "E3");
  });

  test("T1: the batch E1, E2, E5 has the stated means, and the rows of a pair opposite gradients", () => {
    const numbers = [examples["E1"], examples["E2"], examples["E5"]].flatMap((example) =>
      example === undefined ? [] : [example.numbers],
    );
    const { value, gradients, metrics } = evaluate(numbers);
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
    expect(Object.keys(evaluate([e1]).gradients)).toEqual(["logprobs"]);
  });

  test("T2: the first step of an iteration has loss log 2 for any beta, accuracy 0, gradient beta/2", () => {
    for (const beta of [0.1, 5]) {
      const { value, gradients, metrics } = evaluate([[-45, -33, -45, -33]], { beta });
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
    const { value, metrics } = evaluate([examples["E6"]?.numbers ?? e1]);
    expect(value).toBeLessThan(Math.LN2);
    expect(metrics["pair/displaced/sum"]).toBe(1);
    expect(evaluate([e1]).metrics["pair/displaced/sum"]).toBe(0);
  });
});

const logprob = (): fc.Arbitrary<number> => fc.double({ min: -60, max: -1, noNaN: true });
const pair = (): fc.Arbitrary<PairNumbers> => fc.tuple(logprob(), logprob(), logprob(), logprob());

describe("properties", () => {
  test("T4: swapping real and generated negates Delta, and the logistic loss obeys l(u) - l(-u) = -u", () => {
    fc.assert(
      fc.property(pair(), ([policyReal, policyGenerated, referenceReal, referenceGenerated]) => {
        const forward = evaluate([[policyReal, policyGenerated, referenceReal, referenceGenerated]]);
        const backward = evaluate([[policyGenerated, policyReal, referenceGenerated, referenceReal]]);
        const margin = forward.metrics["pair/margin/sum"] ?? 0;
        const tolerance = widened(exact, 100, "differences of sums up to 120");
        expectClose(backward.metrics["pair/margin/sum"] ?? 0, -margin, tolerance, "margin");
        expectClose(forward.value - backward.value, -margin, tolerance, "difference of losses");
      }),
    );
  });

  test("T4: a constant on policy and reference of one answer leaves the loss, and equal answers give log 2", () => {
    fc.assert(
      fc.property(
        pair(),
        fc.double({ min: -5, max: 5, noNaN: true }),
        ([real, generated, referenceReal, referenceGenerated], shift) => {
          const before = evaluate([[real, generated, referenceReal, referenceGenerated]]);
          const after = evaluate([[real + shift, generated, referenceReal + shift, referenceGenerated]]);
          expectClose(
            after.value,
            before.value,
            widened(exact, 100, "differences of sums up to 120"),
            "loss",
          );
          const equal = evaluate([[real, real, referenceReal, referenceReal]]);
          expectClose(equal.value, Math.LN2, exact, "equal answers");
          expect(equal.gradients.logprobs?.[0]?.[1]).toBe(-(equal.gradients.logprobs?.[1]?.[1] ?? 0));
        },
      ),
    );
  });

  for (const shape of pairShapes) {
    test(`${shape}: the gradient is the finite difference of the value, with length normalisation and NLL`, () => {
      fc.assert(
        fc.property(
          fc.array(pair(), { minLength: 1, maxLength: 3 }),
          fc.boolean(),
          (numbers, isLengthNormalized) => {
            const { data, logprobs } = pairData(numbers);
            const options: PairLossOptions = {
              beta: 0.1,
              shape,
              pairCount: 7,
              isLengthNormalized,
              realNll: { coefficient: 0.3, isPerToken: isLengthNormalized },
            };
            const loss = pairLoss(options);
            const margins = evaluate(numbers, { isLengthNormalized }).metrics;
            fc.pre(
              shape !== "hinge" ||
                numbers.length > 1 ||
                Math.abs((margins["pair/margin/sum"] ?? 0) - 1) > 1e-3,
            );
            const flat = Float64Array.from(logprobs.flatMap((row) => [...row]));
            const at = (point: Float64Array) =>
              loss.evaluate(
                { logprobs: logprobs.map((_row, row) => point.slice(row * 3, row * 3 + 3)) },
                data,
              );
            const analytic = (at(flat).gradients.logprobs ?? []).flatMap((row) => [...row]);
            const scale = Math.max(1, ...analytic.map(Math.abs), Math.abs(at(flat).value));
            const tolerance = widened(exact, 1e6 * scale, "central differences with steps of 1e-5");
            if (shape !== "hinge")
              expectClose(
                analytic,
                finiteDifference((point) => at(point).value, flat),
                tolerance,
                "gradient",
              );
            else expectHingeGradient(analytic, numbers, options);
          },
        ),
        { numRuns: 60 },
      );
    });

    test(`${shape}: convex, non-increasing, and falling at 0`, () => {
      fc.assert(
        fc.property(
          fc.double({ min: -20, max: 20, noNaN: true }),
          fc.double({ min: 0, max: 5, noNaN: true }),
          (margin, step) => {
            const here = pairShapeValue(shape, margin);
            const there = pairShapeValue(shape, margin + step);
            const slack = exact.absolute + exact.relative * Math.abs(here.value);
            expect(there.value).toBeLessThanOrEqual(here.value + slack);
            expect(there.derivative).toBeGreaterThanOrEqual(here.derivative - slack);
            expect(here.derivative).toBeLessThanOrEqual(0);
          },
        ),
      );
      expect(pairShapeValue(shape, 0).derivative).toBeLessThan(0);
    });
  }

  test("micro-batches of whole pairs add up to the batch, in value, gradients and metrics", () => {
    fc.assert(
      fc.property(fc.array(pair(), { minLength: 2, maxLength: 6 }), (numbers) => {
        const { data, logprobs } = pairData(numbers);
        const loss = pairLoss({ beta: 0.1, pairCount: numbers.length });
        const whole = loss.evaluate({ logprobs }, data);
        const parts = numbers.map((_pair, index) =>
          loss.evaluate(
            { logprobs: logprobs.slice(2 * index, 2 * index + 2) },
            data.slice(2 * index, 2 * index + 2),
          ),
        );
        expectClose(
          parts.reduce((sum, part) => sum + part.value, 0),
          whole.value,
          widened(exact, 10, "another order"),
          "value",
        );
        expect(parts.flatMap((part) => part.gradients.logprobs ?? [])).toEqual(whole.gradients.logprobs);
        expectClose(
          addMetrics(...parts.map((part) => part.metrics)),
          whole.metrics,
          widened(exact, 10, "another order"),
          "metrics",
        );
      }),
    );
  });

  test("rows of the pairs may come in any order", () => {
    const { data, logprobs } = pairData([e1, [-50, -30, -45, -33]]);
    const order = [3, 0, 2, 1];
    const loss = pairLoss({ beta: 0.1, pairCount: 2 });
    const straight = loss.evaluate({ logprobs }, data);
    const shuffled = loss.evaluate(
      { logprobs: order.map((row) => logprobs[row] ?? new Float64Array()) },
      order.flatMap((row) => data[row] ?? []),
    );
    expectClose(shuffled.value, straight.value, exact, "value");
    expect(shuffled.gradients.logprobs).toEqual(order.map((row) => straight.gradients.logprobs?.[row]));
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
    const normalized = evaluate([e1], { isLengthNormalized: true });
    expectClose(normalized.metrics["pair/margin/sum"] ?? 0, 0.275, exact, "half of 0.55 for two tokens");
    const plain = evaluate([e1]);
    const withNll = evaluate([e1], { realNll: { coefficient: 0.5 } });
    expectClose(withNll.value - plain.value, 0.5 * 42, exact, "value");
    const added = (withNll.gradients.logprobs?.[0]?.[1] ?? 0) - (plain.gradients.logprobs?.[0]?.[1] ?? 0);
    expectClose(added, -0.5, exact, "gradient");
    expect(withNll.gradients.logprobs?.[1]).toEqual(plain.gradients.logprobs?.[1]);
  });

  test("a pair's weight scales its share and its place in the means", () => {
    const { data, logprobs } = pairData([e1, [-50, -30, -45, -33]], [2, 0]);
    const weighted = pairLoss({ beta: 0.1, pairCount: 2 }).evaluate({ logprobs }, data);
    expectClose(weighted.value, evaluate([e1]).value, exact, "value");
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

/** The hinge by its definition: -beta where the margin is below 1, else nothing, beside the NLL. */
function expectHingeGradient(
  analytic: readonly number[],
  numbers: readonly PairNumbers[],
  options: PairLossOptions,
): void {
  const lengthScale = options.isLengthNormalized === true ? 0.5 : 1;
  numbers.forEach(([policyReal, policyGenerated, referenceReal, referenceGenerated], index) => {
    const margin =
      options.beta * lengthScale * (policyReal - referenceReal - policyGenerated + referenceGenerated);
    const slope = margin < 1 ? (-options.beta * lengthScale) / options.pairCount : 0;
    const nll = (0.3 * lengthScale) / options.pairCount;
    const real = slope - nll;
    expectClose(
      analytic.slice(6 * index, 6 * index + 6),
      [0, real, real, 0, -slope, -slope],
      exact,
      "hinge gradient",
    );
  });
}
