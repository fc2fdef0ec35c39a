import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, finiteDifference } from "../testing/expect-golden.ts";
import { tolerances, widened } from "../testing/tolerances.ts";
import { addMetrics } from "./metrics.ts";
import { pairLoss, type PairLossOptions } from "./pair-loss.ts";
import { pairShapes, pairShapeValue } from "./pair-shape.ts";
import { evaluatePairs, pairData, type PairNumbers } from "./fixtures/pair-data.ts";

const exact = tolerances.float64;
const e1: PairNumbers = [-42, -35.5, -45, -33];

const logprob = (): fc.Arbitrary<number> => fc.double({ min: -60, max: -1, noNaN: true });
const pair = (): fc.Arbitrary<PairNumbers> => fc.tuple(logprob(), logprob(), logprob(), logprob());

describe("properties", () => {
  test("T4: swapping real and generated negates Delta, and the logistic loss obeys l(u) - l(-u) = -u", () => {
    fc.assert(
      fc.property(pair(), ([policyReal, policyGenerated, referenceReal, referenceGenerated]) => {
        const forward = evaluatePairs([[policyReal, policyGenerated, referenceReal, referenceGenerated]]);
        const backward = evaluatePairs([[policyGenerated, policyReal, referenceGenerated, referenceReal]]);
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
          const before = evaluatePairs([[real, generated, referenceReal, referenceGenerated]]);
          const after = evaluatePairs([[real + shift, generated, referenceReal + shift, referenceGenerated]]);
          expectClose(
            after.value,
            before.value,
            widened(exact, 100, "differences of sums up to 120"),
            "loss",
          );
          const equal = evaluatePairs([[real, real, referenceReal, referenceReal]]);
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
            const margins = evaluatePairs(numbers, { isLengthNormalized }).metrics;
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
