import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tokens, type CustomLoss, type Datum } from "../contract/index.ts";
import { expectCode } from "../testing/expect-code.ts";
import { expectClose, expectDifferent, expectGolden, finiteDifference } from "../testing/expect-golden.ts";
import { tolerances, widened } from "../testing/tolerances.ts";
import { builtInTerm } from "./built-in-term.ts";
import { entropyTerm, sampledEntropyTerm } from "./entropy-terms.ts";
import { klEstimate, klEstimators } from "./kl-estimators.ts";
import { klTerm } from "./kl-term.ts";
import { addMetrics } from "./metrics.ts";
import { sumOf } from "./sum-of.ts";

const exact = tolerances.float64;
const numeric = widened(exact, 1e6, "central differences with steps of 1e-5");

/** A world of three tokens in which expectations are exact sums. */
const policy = [0.5, 0.3, 0.2];
const reference = [0.2, 0.5, 0.3];

const expectation = (value: (token: number) => number): number =>
  policy.reduce((sum, probability, token) => sum + probability * value(token), 0);

/** d expectation / d logit k of a term whose gradient per token is given: E[gradient * ([k = token] - p_k)]. */
const expectedGradient = (gradient: (token: number) => number): number[] =>
  policy.map((probability, logit) =>
    expectation((token) => gradient(token) * ((token === logit ? 1 : 0) - probability)),
  );

const log = (distribution: readonly number[], token: number): number => Math.log(distribution[token] ?? 0);

const trueKl = expectation((token) => log(policy, token) - log(reference, token));
const trueEntropy = -expectation((token) => log(policy, token));

/** Gradients in softmax logits: of KL(p || reference) and of the entropy. */
const klGradient = policy.map(
  (probability, token) => probability * (log(policy, token) - log(reference, token) - trueKl),
);
const entropyGradient = policy.map((probability, token) => -probability * (log(policy, token) + trueEntropy));

describe("KL estimators", () => {
  test("k1 and k3 have the true KL as their expectation, k2 does not", () => {
    const of = (name: (typeof klEstimators)[number]): number =>
      expectation((token) => klEstimate(name, log(policy, token), log(reference, token)).value);
    expectClose([of("k1"), of("k3")], [trueKl, trueKl], exact, "expectation");
    expectDifferent(of("k2"), trueKl, exact, "k2");
  });

  test("the expected gradient of k2 is that of the KL; that of k1 is zero", () => {
    const gradientOf = (name: (typeof klEstimators)[number]): number[] =>
      expectedGradient((token) => klEstimate(name, log(policy, token), log(reference, token)).gradient);
    expectClose(gradientOf("k2"), klGradient, exact, "k2");
    expectClose(gradientOf("k1"), [0, 0, 0], exact, "k1");
    // k3's is that of the other direction, KL(reference || p) = -sum reference log p + ...: p - reference.
    expectClose(
      gradientOf("k3"),
      policy.map((probability, token) => probability - (reference[token] ?? 0)),
      exact,
      "k3",
    );
  });

  for (const name of klEstimators) {
    test(`${name}: gradient by finite differences; zero value and slope only where they should be`, () => {
      fc.assert(
        fc.property(
          fc.double({ min: -4, max: 0, noNaN: true }),
          fc.double({ min: -4, max: 0, noNaN: true }),
          (logprob, referenceLogprob) => {
            const [difference = 0] = finiteDifference(
              (point) => klEstimate(name, point[0] ?? 0, referenceLogprob).value,
              Float64Array.of(logprob),
            );
            const scale = Math.max(1, Math.exp(referenceLogprob - logprob));
            expectClose(
              klEstimate(name, logprob, referenceLogprob).gradient,
              difference,
              widened(numeric, scale, "k3 grows as e^-d"),
              name,
            );
            const least = name === "k1" ? Number.NEGATIVE_INFINITY : 0;
            expect(klEstimate(name, logprob, referenceLogprob).value).toBeGreaterThanOrEqual(least);
          },
        ),
      );
    });
  }

  test("by hand, with log p - log reference = log 2", () => {
    expectGolden({
      input: Math.LN2,
      perturbed: Math.LN2 * 1.001,
      expected: { k1: [Math.LN2, 1], k2: [Math.LN2 ** 2 / 2, Math.LN2], k3: [Math.LN2 - 0.5, 0.5] },
      tolerance: exact,
      compute: (difference) =>
        Object.fromEntries(
          klEstimators.map((name) => {
            const { value, gradient } = klEstimate(name, -1, -1 - difference);
            return [name, [value, gradient]];
          }),
        ),
    });
  });
});

const weights = Float32Array.of(0, 1, 0.5);
const datum: Datum = {
  input: [tokens([1, 2, 3])],
  targets: Int32Array.of(2, 3, 4),
  weights,
  advantages: Float32Array.of(1, 1, -1),
  behaviorLogprobs: Float32Array.of(-1, -1.25, -2),
  constants: { referenceLogprob: Float32Array.of(-9, -1.5, -0.5), factors: Float32Array.of(1, 2, 4) },
};
const logprobs = [Float64Array.of(-3, -1, -2)];

/** Gradient of a term against finite differences of its value. */
function expectTrueGradient(loss: CustomLoss): void {
  const at = (point: Float64Array) => loss.evaluate({ logprobs: [point] }, [datum]);
  const [start = new Float64Array()] = logprobs;
  expectClose(
    at(start).gradients.logprobs?.[0] ?? [],
    finiteDifference((point) => at(point).value, start),
    numeric,
    loss.name,
  );
}

describe("klTerm", () => {
  test("sums coefficient * weight * estimate over the trained tokens", () => {
    // d = 0.5 and -1.5 with weights 1 and 0.5.
    const { value, metrics } = klTerm({ estimator: "k1", coefficient: 0.1 }).evaluate({ logprobs }, [datum]);
    expectClose(value, 0.1 * (0.5 - 0.75), exact, "value");
    expectClose(metrics, { "kl/k1/sum": -0.25, "kl/weight/sum": 1.5 }, exact, "metrics");
  });

  test("takes a further factor per token from a constant", () => {
    const { value } = klTerm({ estimator: "k1", coefficient: 0.1, coefficientConstant: "factors" }).evaluate(
      { logprobs },
      [datum],
    );
    expectClose(value, 0.1 * (2 * 0.5 - 4 * 0.75), exact, "value");
  });

  test("has the gradient of its value, for every estimator", () => {
    for (const estimator of klEstimators)
      expectTrueGradient(klTerm({ estimator, coefficient: 0.3, coefficientConstant: "factors" }));
  });

  test("refuses rows without the reference, or with one number for it", async () => {
    const term = klTerm({ estimator: "k3", coefficient: 1 });
    const attempt = async (constants: Datum["constants"]) =>
      term.evaluate({ logprobs }, [{ ...datum, ...(constants === undefined ? {} : { constants }) }]);
    await expectCode(attempt({}), "invalid-input");
    await expectCode(attempt({ referenceLogprob: -3 }), "invalid-input");
  });
});

describe("entropy terms", () => {
  test("the exact one lowers the loss by coefficient * entropy, with gradient on entropies alone", () => {
    const { value, gradients, metrics } = entropyTerm({ coefficient: 0.1 }).evaluate(
      { logprobs, entropies: [Float64Array.of(9, 1, 2)] },
      [datum],
    );
    expectClose(value, -0.2, exact, "value");
    expect(gradients.logprobs).toBeUndefined();
    expectClose(gradients.entropies ?? [], [[0, -0.1, -0.05]], exact, "gradient");
    expectClose(metrics, { "entropy/exact/sum": 2, "entropy/weight/sum": 1.5 }, exact, "metrics");
  });

  test("the sampled one has the true entropy as expectation, and its true gradient", () => {
    const single: Datum = { input: [tokens([0])], targets: Int32Array.of(0), weights: Float32Array.of(1) };
    const term = sampledEntropyTerm({ coefficient: 1 });
    const at = (token: number) =>
      term.evaluate({ logprobs: [Float64Array.of(log(policy, token))] }, [single]);
    expectClose(
      expectation((token) => at(token).value),
      -trueEntropy,
      exact,
      "value",
    );
    const gradient = expectedGradient((token) => at(token).gradients.logprobs?.[0]?.[0] ?? 0);
    expectClose(
      gradient,
      entropyGradient.map((entry) => -entry),
      exact,
      "gradient of -H",
    );
    expectDifferent(gradient, [0, 0, 0], exact, "the gradient of the plain estimate");
  });
});

describe("sumOf", () => {
  const policyGradient = builtInTerm({ kind: "ppo", clipLow: 0.8, clipHigh: 1.2 });
  const pull = klTerm({ estimator: "k2", coefficient: 1 });

  test("adds values and gradients with coefficients and reports each share", () => {
    const sum = sumOf([{ loss: policyGradient }, { loss: pull, coefficient: 0.25 }]);
    const whole = sum.evaluate({ logprobs }, [datum]);
    const first = policyGradient.evaluate({ logprobs }, [datum]);
    const second = pull.evaluate({ logprobs }, [datum]);
    expectClose(whole.value, first.value + 0.25 * second.value, exact, "value");
    const expected = [0, 1, 2].map(
      (position) =>
        (first.gradients.logprobs?.[0]?.[position] ?? 0) +
        0.25 * (second.gradients.logprobs?.[0]?.[position] ?? 0),
    );
    expectClose(whole.gradients.logprobs ?? [], [expected], exact, "gradient");
    expectClose(whole.metrics["loss/ppo/sum"] ?? 0, first.value, exact, "share");
    expectClose(whole.metrics["loss/kl/sum"] ?? 0, 0.25 * second.value, exact, "share");
    expect(whole.metrics["kl/k2/sum"]).toBe(second.metrics["kl/k2/sum"]);
    expectTrueGradient(sum);
  });

  test("reads what its terms read and keeps gradients of other outputs apart", () => {
    const sum = sumOf([{ loss: pull }, { loss: entropyTerm({ coefficient: 0.5 }), coefficient: 2 }]);
    expect(sum.reads).toEqual(["entropies"]);
    const { gradients } = sum.evaluate({ logprobs, entropies: [Float64Array.of(1, 1, 1)] }, [datum]);
    expectClose(gradients.entropies ?? [], [[0, -1, -0.5]], exact, "entropies");
    expect(gradients.logprobs).toEqual(pull.evaluate({ logprobs }, [datum]).gradients.logprobs);
    expect(sumOf([{ loss: pull }]).reads).toBeUndefined();
  });

  test("its metrics add over micro-batches as its value does", () => {
    const sum = sumOf([{ loss: policyGradient }, { loss: pull }]);
    const part = sum.evaluate({ logprobs }, [datum]);
    const whole = sum.evaluate({ logprobs: [...logprobs, ...logprobs] }, [datum, datum]);
    expectClose(whole.value, 2 * part.value, exact, "value");
    expectClose(whole.metrics, addMetrics(part.metrics, part.metrics), exact, "metrics");
  });

  test("refuses terms of one name and coefficients that are no numbers", async () => {
    await expectCode(
      Promise.resolve().then(() => sumOf([{ loss: pull }, { loss: pull }])),
      "invalid-input",
    );
    await expectCode(
      Promise.resolve().then(() => sumOf([{ loss: pull, coefficient: Number.NaN }])),
      "invalid-input",
    );
  });
});
