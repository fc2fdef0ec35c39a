/**
 * The three-answer world: one prompt, three answers, p_data = (0.5, 0.3, 0.2), p_0 = (0.2, 0.3, 0.5).
 * The loss over the exact distributions of real and generated answers is the pair loss over all nine
 * pairs, weighted. Everything that the method's theory says is checked on it by plain gradient descent.
 *
 * @paper arXiv:2401.01335v3 theorems 5.2 and 5.4
 */
import { describe, expect, test } from "vitest";
import { tokens, type Datum } from "../contract/index.ts";
import { expectClose, expectDifferent } from "../testing/expect-golden.ts";
import { printedTo, tolerances, widened } from "../testing/tolerances.ts";
import { pairLoss } from "./pair-loss.ts";
import { pairConstants } from "./pair-rows.ts";

type Distribution = readonly number[];

const data: Distribution = [0.5, 0.3, 0.2];
const start: Distribution = [0.2, 0.3, 0.5];
const answers = [0, 1, 2] as const;
const printed = printedTo(6);
const uniformLogits = [0, 0, 0];

/** Loss and gradient in softmax logits of the policy, with the opponent as sampler and reference. */
function exactLoss(
  logits: readonly number[],
  opponent: Distribution,
  lambda: number,
): { value: number; gradient: number[] } {
  const policy = softmax(logits);
  const rows = answers.flatMap((real) =>
    answers.flatMap((generated) => {
      const weight = (data[real] ?? 0) * (opponent[generated] ?? 0);
      const groupId = `${real}-${generated}`;
      return [
        {
          answer: real,
          datum: rowOf(groupId, { side: 1, weight, reference: Math.log(opponent[real] ?? 0) }),
        },
        {
          answer: generated,
          datum: rowOf(groupId, { side: 0, weight, reference: Math.log(opponent[generated] ?? 0) }),
        },
      ];
    }),
  );
  const logprobs = rows.map(({ answer }) => Float64Array.of(Math.log(policy[answer] ?? 0)));
  const loss = pairLoss({ beta: lambda, pairCount: 1 });
  const { value, gradients } = loss.evaluate(
    { logprobs },
    rows.map((row) => row.datum),
  );
  const gradient = answers.map((logit) =>
    rows.reduce((sum, { answer }, row) => {
      const byLogprob = gradients.logprobs?.[row]?.[0] ?? 0;
      return sum + byLogprob * ((answer === logit ? 1 : 0) - (policy[logit] ?? 0));
    }, 0),
  );
  return { value, gradient };
}

function rowOf(
  groupId: string,
  numbers: { readonly side: number; readonly weight: number; readonly reference: number },
): Datum {
  const constants = {
    [pairConstants.side]: numbers.side,
    [pairConstants.weight]: numbers.weight,
    [pairConstants.reference]: numbers.reference,
  };
  return { input: [tokens([0])], targets: Int32Array.of(0), weights: Float32Array.of(1), groupId, constants };
}

/** Plain descent to the minimum; the step suits the curvature, which grows with lambda squared. */
function minimise(opponent: Distribution, lambda: number): Distribution {
  let logits = opponent.map(Math.log);
  for (let step = 0; step < 4000; step++) {
    const { gradient } = exactLoss(logits, opponent, lambda);
    if (Math.hypot(...gradient) < 1e-10) break;
    const length = 4 / Math.max(lambda * lambda, 0.05);
    logits = logits.map((logit, index) => logit - length * (gradient[index] ?? 0));
  }
  return softmax(logits);
}

/** Theorem 5.4: p_(t+1) proportional to p_t (p_data / p_t)^(1 / lambda). */
function exactIterate(opponent: Distribution, lambda: number): Distribution {
  return softmax(
    opponent.map(
      (probability, answer) => Math.log(probability) + Math.log((data[answer] ?? 0) / probability) / lambda,
    ),
  );
}

function softmax(logits: readonly number[]): number[] {
  const masses = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
  const sum = masses.reduce((total, mass) => total + mass, 0);
  return masses.map((mass) => mass / sum);
}

function kl(first: Distribution, second: Distribution): number {
  return first.reduce(
    (sum, probability, answer) => sum + probability * Math.log(probability / (second[answer] ?? 0)),
    0,
  );
}

const lossAt = (policy: Distribution, opponent: Distribution, lambda: number): number =>
  exactLoss(policy.map(Math.log), opponent, lambda).value;

describe("T8: values of the loss", () => {
  test("the two distributions are 0.274887 apart both ways, and the start has loss log 2", () => {
    expectClose([kl(data, start), kl(start, data)], [0.274887, 0.274887], printed, "KL");
    expectClose(lossAt(start, start, 1), Math.LN2, tolerances.float64, "loss");
  });

  test("at the data distribution it depends on lambda, and a large lambda makes it worse than standing still", () => {
    const lambdas = [0.1, 0.5, 1, 2, 5];
    const losses = lambdas.map((lambda) => lossAt(data, start, lambda));
    expectClose(losses, [0.667315, 0.596055, 0.568631, 0.637196, 1.121613], printed, "losses");
    expectDifferent(
      lambdas.map((lambda) => lossAt([0.5, 0.31, 0.19], start, lambda)),
      losses,
      printed,
      "losses elsewhere",
    );
    expect(losses[4]).toBeGreaterThan(Math.LN2);
  });

  test("the minimum is log 2 minus the divergence of the pair distributions, for every lambda", () => {
    for (const lambda of [0.1, 0.5, 1, 2, 5]) {
      expectClose(lossAt(exactIterate(start, lambda), start, lambda), 0.568631, printed, "minimum");
      const { gradient } = exactLoss(exactIterate(start, lambda).map(Math.log), start, lambda);
      expectClose(gradient, [0, 0, 0], tolerances.float64, "gradient");
    }
    expectClose(Math.LN2 - 0.124516, 0.568631, widened(printed, 2, "two printed numbers"), "log 2 - JSD");
  });
});

describe("T9: iterates", () => {
  test("gradient descent on the exact loss lands on the exact iterates", () => {
    const expected: Readonly<Record<string, Distribution>> = {
      "2": [0.339134, 0.321731, 0.339134],
      "1": [0.5, 0.3, 0.2],
      "0.5": [0.766871, 0.184049, 0.04908],
    };
    for (const [lambda, distribution] of Object.entries(expected)) {
      expectClose(minimise(start, Number(lambda)), distribution, printed, `lambda ${lambda}`);
      expectClose(exactIterate(start, Number(lambda)), distribution, printed, `theorem, lambda ${lambda}`);
    }
    expectDifferent(minimise(start, 2), expected["1"] ?? [], printed, "another lambda");
  });

  test("lambda 2 contracts, by descent at every iteration", () => {
    const path: number[] = [kl(data, start)];
    let opponent = start;
    for (let iteration = 0; iteration < 5; iteration++) {
      opponent = minimise(opponent, 2);
      path.push(kl(data, opponent));
    }
    expectClose(
      path,
      [0.274887, 0.06751, 0.016504, 0.004067, 0.001009, 0.000251],
      printed,
      "KL by iteration",
    );
  });

  test("lambda 0.6 still converges and 0.4 diverges", () => {
    const path = (lambda: number): number[] => {
      const first = exactIterate(start, lambda);
      const second = exactIterate(first, lambda);
      return [first, second, exactIterate(second, lambda)].map((iterate) => kl(data, iterate));
    };
    expectClose(path(0.6), [0.101608, 0.053117, 0.021478], printed, "lambda 0.6");
    expectClose(path(0.4), [0.432258, 1.278817, 1.499261], printed, "lambda 0.4");
    expectClose(minimise(start, 0.6), exactIterate(start, 0.6), printed, "descent at lambda 0.6");
  });
});

describe("T10: the gradient at the start of an iteration", () => {
  test("is -(lambda / 2) (p_data - p_0) in softmax logits", () => {
    expectClose(
      exactLoss(start.map(Math.log), start, 1).gradient,
      [-0.15, 0, 0.15],
      tolerances.float64,
      "lambda 1",
    );
    expectClose(
      exactLoss(start.map(Math.log), start, 0.1).gradient,
      [-0.015, 0, 0.015],
      tolerances.float64,
      "lambda 0.1",
    );
  });

  test("is zero at the data distribution, and then nothing gets below log 2", () => {
    expectClose(exactLoss(data.map(Math.log), data, 1).gradient, [0, 0, 0], tolerances.float64, "gradient");
    for (const other of [start, softmax(uniformLogits), [0.8, 0.1, 0.1], [0.49, 0.31, 0.2]]) {
      for (const lambda of [0.1, 1, 5]) expect(lossAt(other, data, lambda)).toBeGreaterThan(Math.LN2);
    }
  });
});
