/**
 * The functions ell that turn a pair's margin u = beta * Delta into a loss: convex, non-increasing,
 * with ell'(0) < 0. Each file-level comment of a method says which it takes; this file knows no pairs.
 *
 * @paper arXiv:2401.01335v3 assumption 5.1 and section 4.1
 */

export type PairShape = "logistic" | "hinge" | "correlation" | "exponential";

export const pairShapes: readonly PairShape[] = ["logistic", "hinge", "correlation", "exponential"];

export interface ShapeValue {
  readonly value: number;
  /** d ell / d u: never positive. */
  readonly derivative: number;
}

/** ell(u) and its derivative. */
export function pairShapeValue(shape: PairShape, margin: number): ShapeValue {
  switch (shape) {
    case "logistic":
      return { value: softplus(-margin), derivative: -sigmoid(-margin) };
    case "hinge":
      // At the corner u = 1 the right-hand derivative: nothing more to gain there.
      return margin < 1 ? { value: 1 - margin, derivative: -1 } : { value: 0, derivative: 0 };
    case "correlation":
      return { value: 1 - margin, derivative: -1 };
    case "exponential": {
      const value = Math.exp(-margin);
      return { value, derivative: -value };
    }
  }
}

/** log(1 + e^x) without overflow, and exact where e^x is tiny. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function sigmoid(x: number): number {
  const small = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : small) / (1 + small);
}
