/**
 * Brings operands of one operation to common factors, so that "the same part of the same axis" has one key in all.
 */
import { present } from "../../../base/index.ts";
import { factor, splitFactors, type Factor, type View } from "./view.ts";

/** One part of one logical axis, shared by all operands. */
export interface Key {
  readonly axis: number;
  readonly size: number;
}

export interface Aligned {
  readonly name: string;
  readonly view: View;
  /** Keys of the stored factors in memory order. */
  readonly order: readonly Key[];
}

export interface Alignment {
  /** Per logical axis, outermost first. */
  readonly axes: readonly (readonly Key[])[];
  readonly operands: readonly Aligned[];
}

/** Null where two operands cut an axis in ways that have no common refinement. */
export function align(views: readonly View[]): Alignment | null {
  const rank = Math.max(...views.map((view) => view.axes.length));
  let padded = views.map((view) => withRank(view, rank));
  const axes: Key[][] = [];
  for (let axis = 0; axis < rank; axis += 1) {
    const sizes = commonSizes(padded.map((view) => sizesOf(view, axis)));
    if (sizes === null) return null;
    padded = padded.map((view) => cutAxis(view, axis, sizes));
    axes.push(sizes.map((size) => ({ axis, size })));
  }
  const operands = padded.map((view): Aligned => {
    const keyOf = new Map<Factor, Key>();
    for (const [axis, factors] of view.axes.entries()) {
      for (const [index, one] of factors.entries())
        keyOf.set(one, present(axes[axis]?.[index], "the key of a factor"));
    }
    return { name: view.name, view, order: view.stored.map((one) => present(keyOf.get(one), "a key")) };
  });
  return { axes, operands };
}

function withRank(view: View, rank: number): View {
  const missing = Array.from({ length: rank - view.axes.length }, (): Factor[] => []);
  return { ...view, axes: [...missing, ...view.axes] };
}

function sizesOf(view: View, axis: number): number[] {
  return (view.axes[axis] ?? []).map(({ size }) => size);
}

/** The coarsest cut of an axis that refines all; axes of size 1 take part in none. */
function commonSizes(all: readonly (readonly number[])[]): number[] | null {
  const lists = all.filter((sizes) => sizes.length > 0).map((sizes) => [...sizes]);
  const result: number[] = [];
  const [first] = lists;
  if (first === undefined) return result;
  while (first.length > 0) {
    const heads = lists.map((list) => list[0] ?? 1);
    const smallest = Math.min(...heads);
    if (heads.some((head) => head % smallest !== 0)) return null;
    result.push(smallest);
    for (const list of lists) {
      const head = list.shift() ?? 1;
      if (head > smallest) list.unshift(head / smallest);
    }
  }
  return result;
}

function cutAxis(view: View, axis: number, sizes: readonly number[]): View {
  const factors = view.axes[axis] ?? [];
  if (factors.length === 0 || factors.length === sizes.length) return view;
  const splits = new Map<Factor, Factor[]>();
  let at = 0;
  for (const one of factors) {
    const parts: Factor[] = [];
    let covered = 1;
    while (covered < one.size) {
      const size = present(sizes[at], "a part of an axis");
      parts.push(factor(size));
      covered *= size;
      at += 1;
    }
    if (parts.length > 1) splits.set(one, parts);
  }
  return splitFactors(view, splits);
}
