import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, expectGolden, finiteDifference } from "../../testing/expect-golden.ts";
import { tolerances, widened } from "../../testing/tolerances.ts";
import { tokens, type Datum } from "../inputs.ts";
import type { BuiltInLoss } from "../losses.ts";
import { referenceLoss, referenceTerm } from "./reference-loss.ts";
import type { TokenInputs } from "./token-term.ts";

const ppo: BuiltInLoss = { kind: "ppo", clipLow: 0.8, clipHigh: 1.2 };
const cispo: BuiltInLoss = { kind: "cispo", clipLow: 0.5, clipHigh: 2 };
const dro: BuiltInLoss = { kind: "dro", beta: 0.5 };
const losses: readonly BuiltInLoss[] = [
  { kind: "crossEntropy" },
  { kind: "importanceSampling" },
  ppo,
  cispo,
  dro,
];

const exact = tolerances.float64;

/** A token whose ratio exp(l - q) is exactly `ratio` up to rounding. */
const tokenWithRatio = (ratio: number, advantage: number, weight = 1): TokenInputs => ({
  logprob: -1,
  behaviorLogprob: -1 - Math.log(ratio),
  advantage,
  weight,
});

interface Case {
  readonly loss: BuiltInLoss;
  readonly inputs: TokenInputs;
  readonly value: number;
  readonly gradient: number;
}

/** By hand: l = -1 everywhere, so only ratio, advantage and weight matter. */
const cases: Readonly<Record<string, Case>> = {
  "cross-entropy: -w l": {
    loss: { kind: "crossEntropy" },
    inputs: tokenWithRatio(1, 0, 0.5),
    value: 0.5,
    gradient: -0.5,
  },
  "importance sampling: -w r A": {
    loss: { kind: "importanceSampling" },
    inputs: tokenWithRatio(2, 3, 0.5),
    value: -3,
    gradient: -3,
  },
  "ppo inside the clip: -r A": { loss: ppo, inputs: tokenWithRatio(1.1, 2), value: -2.2, gradient: -2.2 },
  "ppo above the clip with A > 0: -high A, no gradient": {
    loss: ppo,
    inputs: tokenWithRatio(1.5, 2),
    value: -2.4,
    gradient: 0,
  },
  "ppo above the clip with A < 0: full force": {
    loss: ppo,
    inputs: tokenWithRatio(1.5, -2),
    value: 3,
    gradient: 3,
  },
  "ppo below the clip with A < 0: -low A, no gradient": {
    loss: ppo,
    inputs: tokenWithRatio(0.5, -2),
    value: 1.6,
    gradient: 0,
  },
  "ppo below the clip with A > 0: full force": {
    loss: ppo,
    inputs: tokenWithRatio(0.5, 2),
    value: -1,
    gradient: -1,
  },
  "cispo inside the clip: -r A l": { loss: cispo, inputs: tokenWithRatio(1.5, 2), value: 3, gradient: -3 },
  "cispo above the clip keeps a gradient of the clipped size": {
    loss: cispo,
    inputs: tokenWithRatio(5, 2),
    value: 4,
    gradient: -4,
  },
  "cispo below the clip likewise": { loss: cispo, inputs: tokenWithRatio(0.1, -2), value: -1, gradient: 1 },
  // l - q = ln 2: -(2 * -1 - 0.25 ln^2 2) and -(2 - 0.5 ln 2).
  "dro: advantage minus a quadratic pull": {
    loss: dro,
    inputs: tokenWithRatio(2, 2),
    value: 2 + 0.25 * Math.LN2 ** 2,
    gradient: -2 + 0.5 * Math.LN2,
  },
};

describe("the term of one token", () => {
  for (const [title, { loss, inputs, value, gradient }] of Object.entries(cases)) {
    test(title, () => {
      expectGolden({
        input: inputs,
        perturbed: { ...inputs, weight: inputs.weight * 1.01 },
        expected: { value, gradient },
        tolerance: exact,
        compute: (token) => ({ ...referenceTerm(loss, token) }),
      });
    });
  }

  test("ppo on its borders and with advantage 0 is not clipped", () => {
    const onBorder = { logprob: Math.log(1.2), behaviorLogprob: 0, advantage: 1, weight: 1 };
    expect(referenceTerm({ ...ppo, clipHigh: Math.exp(Math.log(1.2)) }, onBorder).gradient).not.toBe(0);
    expect(referenceTerm(ppo, { ...onBorder, logprob: 3, advantage: 0 })).toEqual({
      value: -0,
      gradient: -0,
    });
  });
});

const token = (): fc.Arbitrary<TokenInputs> =>
  fc.record({
    logprob: fc.double({ min: -5, max: -0.01, noNaN: true }),
    behaviorLogprob: fc.double({ min: -5, max: -0.01, noNaN: true }),
    advantage: fc.double({ min: -3, max: 3, noNaN: true }),
    weight: fc.double({ min: 0, max: 2, noNaN: true }),
  });

describe("gradients", () => {
  for (const loss of losses) {
    test(`${loss.kind}: the gradient is the finite difference of the value`, () => {
      fc.assert(
        fc.property(token(), (inputs) => {
          const ratio = Math.exp(inputs.logprob - inputs.behaviorLogprob);
          fc.pre(
            loss.kind !== "ppo" ||
              (Math.abs(ratio - loss.clipLow) > 1e-3 && Math.abs(ratio - loss.clipHigh) > 1e-3),
          );
          const frozen = freezeClip(loss, inputs);
          const [numeric = 0] = finiteDifference(
            (point) => frozen(point[0] ?? 0),
            Float64Array.of(inputs.logprob),
          );
          const { gradient } = referenceTerm(loss, inputs);
          const tolerance = widened(exact, 1e6, "central differences with steps of 1e-5, ratios up to e^5");
          expectClose(
            gradient,
            numeric,
            { ...tolerance, absolute: tolerance.absolute * Math.max(1, ratio) },
            "gradient",
          );
        }),
      );
    });
  }

  test("cispo stops the gradient of its ratio: the plain finite difference is another number", () => {
    const inputs = tokenWithRatio(1.5, 2);
    const [plain] = finiteDifference(
      (point) => referenceTerm(cispo, { ...inputs, logprob: point[0] ?? 0 }).value,
      Float64Array.of(-1),
    );
    // d(-r A l)/dl with r moving as well: -r A (1 + l) = 0 at l = -1.
    expect(Math.abs(plain ?? 1)).toBeLessThan(1e-6);
    expect(referenceTerm(cispo, inputs).gradient).toBeCloseTo(-3, 12);
  });
});

/** The value as a function of l; for cispo with the clipped ratio held at its place. */
function freezeClip(loss: BuiltInLoss, inputs: TokenInputs): (logprob: number) => number {
  if (loss.kind !== "cispo") return (logprob) => referenceTerm(loss, { ...inputs, logprob }).value;
  const { gradient } = referenceTerm(loss, inputs);
  return (logprob) => gradient * logprob;
}

const rowFrom = (tokensOfRow: readonly TokenInputs[]): Datum => ({
  input: [tokens(tokensOfRow.map(() => 1))],
  targets: Int32Array.from(tokensOfRow, () => 1),
  weights: Float32Array.from(tokensOfRow, (entry) => entry.weight),
  advantages: Float32Array.from(tokensOfRow, (entry) => entry.advantage),
  behaviorLogprobs: Float32Array.from(tokensOfRow, (entry) => entry.behaviorLogprob),
});

describe("the loss of a batch", () => {
  const batches = fc.array(fc.array(token(), { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 5 });

  for (const loss of losses) {
    test(`${loss.kind}: micro-batches add up to the batch`, () => {
      fc.assert(
        fc.property(batches, fc.nat(), (rows, cut) => {
          const data = rows.map(rowFrom);
          const logprobs = rows.map((row) => Float64Array.from(row, (entry) => entry.logprob));
          const border = 1 + (cut % (data.length - 1));
          const whole = referenceLoss(loss, logprobs, data);
          const head = referenceLoss(loss, logprobs.slice(0, border), data.slice(0, border));
          const tail = referenceLoss(loss, logprobs.slice(border), data.slice(border));
          expectClose(
            head.value + tail.value,
            whole.value,
            widened(exact, 1000, "sums in another order"),
            "value",
          );
          const joined = [...(head.gradients.logprobs ?? []), ...(tail.gradients.logprobs ?? [])];
          expect(joined).toEqual(whole.gradients.logprobs);
        }),
      );
    });

    test(`${loss.kind}: a token of weight 0 adds nothing, whatever it holds`, () => {
      const inert: TokenInputs = {
        logprob: Number.NEGATIVE_INFINITY,
        behaviorLogprob: -1,
        advantage: 1e30,
        weight: 0,
      };
      const live = tokenWithRatio(1.1, 1);
      const result = referenceLoss(loss, [Float64Array.of(-1, inert.logprob)], [rowFrom([live, inert])]);
      const alone = referenceLoss(loss, [Float64Array.of(-1)], [rowFrom([live])]);
      expect(result.value).toBe(alone.value);
      expect(result.gradients.logprobs?.[0]?.[1]).toBe(0);
    });
  }
});
