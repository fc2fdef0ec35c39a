/**
 * Lazy tensors: which elements of a stored array make up a logical one.
 *
 * Reshape, transpose and broadcast cost nothing here. A stored array is a product of factors in memory order; a
 * logical axis is a list of factors, and a factor that is not stored is a broadcast. So the sum over an explicit
 * broadcast, which is how jax-js writes a matrix product, is recognised by looking at who stores which factor.
 */
import { assert } from "../../../base/index.ts";
import type { ElementType } from "./onnx-encoding.ts";

/** Compared by identity: the same object stands in `stored` and in `axes`. */
export interface Factor {
  readonly size: number;
}

export interface View {
  /** The stored array. */
  readonly name: string;
  readonly type: ElementType;
  /** Row-major, first factor outermost. No factor has size 1. */
  readonly stored: readonly Factor[];
  /** Per logical axis its factors, outermost first. */
  readonly axes: readonly (readonly Factor[])[];
}

export function factor(size: number): Factor {
  return { size };
}

export function productOf(factors: readonly Factor[]): number {
  return factors.reduce((product, { size }) => product * size, 1);
}

export function shapeOf(view: View): number[] {
  return view.axes.map(productOf);
}

/** The view of a stored array that is exactly its logical one. */
export function plainView(name: string, type: ElementType, shape: readonly number[]): View {
  const axes = shape.map((size) => (size === 1 ? [] : [factor(size)]));
  return { name, type, stored: axes.flat(), axes };
}

export function isPlain(view: View): boolean {
  const flat = view.axes.flat();
  return flat.length === view.stored.length && flat.every((one, index) => one === view.stored[index]);
}

export function transposeView(view: View, permutation: readonly number[]): View {
  return { ...view, axes: permutation.map((axis) => view.axes[axis] ?? []) };
}

/** Adds the given axes of `shape`, none of them stored. */
export function broadcastView(view: View, shape: readonly number[], added: readonly number[]): View {
  let next = 0;
  const axes = shape.map((size, axis) => {
    if (added.includes(axis)) return size === 1 ? [] : [factor(size)];
    const own = view.axes[next] ?? [];
    next += 1;
    return own;
  });
  return { ...view, axes };
}

/** Null where a new axis would cut across factors in memory order, so that the array must be written out first. */
export function reshapeView(view: View, shape: readonly number[]): View | null {
  if (isPlain(view)) return { ...plainView(view.name, view.type, shape) };
  const splits = new Map<Factor, readonly Factor[]>();
  const rest = view.axes.flat().toReversed();
  const axes: Factor[][] = [];
  for (const size of shape) {
    const axis: Factor[] = [];
    let needed = size;
    while (needed > 1) {
      const next = rest.pop();
      assert(next !== undefined, "a reshape that changes the number of elements");
      if (needed % next.size === 0) {
        axis.push(next);
        needed /= next.size;
      } else if (next.size % needed === 0) {
        const [outer, inner] = [factor(needed), factor(next.size / needed)];
        const whole = [...splits].find(([, parts]) => parts.includes(next));
        const replaced = (whole?.[1] ?? [next]).flatMap((part) => (part === next ? [outer, inner] : [part]));
        splits.set(whole?.[0] ?? next, replaced);
        axis.push(outer);
        rest.push(inner);
        needed = 1;
      } else return null;
    }
    axes.push(axis);
  }
  return { ...view, axes, stored: view.stored.flatMap((one) => splits.get(one) ?? [one]) };
}

/** Replaces factors by finer ones. */
export function splitFactors(view: View, splits: ReadonlyMap<Factor, readonly Factor[]>): View {
  const split = (list: readonly Factor[]): Factor[] => list.flatMap((one) => splits.get(one) ?? [one]);
  return { ...view, stored: split(view.stored), axes: view.axes.map(split) };
}
