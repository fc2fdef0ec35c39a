/**
 * Orders of stored keys: how lazy views come to lie in the same order, and how one is written out where it must be.
 * Knows no arithmetic.
 */
import { present } from "../../../base/index.ts";
import { align, type Aligned, type Alignment, type Key } from "./align.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { ElementType } from "./onnx-encoding.ts";
import { factor, isPlain, plainView, shapeOf, type Factor, type View } from "./view.ts";

/** Writes the logical array out where the stored one differs from it. */
export function materialise(graph: GraphBuilder, view: View): View {
  if (isPlain(view)) return view;
  const { operands, axes } = alignAll(graph, [view]);
  const [operand] = operands;
  const logical = axes.flat();
  const shape = shapeOf(view);
  const isStored = new Set(present(operand, "an operand").order);
  let name = inOrder(
    graph,
    present(operand, "an operand"),
    logical.filter((key) => isStored.has(key)),
  );
  if (logical.some((key) => !isStored.has(key))) {
    const flat = graph.shaped(
      name,
      logical.map((key) => (isStored.has(key) ? key.size : 1)),
    );
    const dims = logical.map(({ size }) => size);
    const sizes = graph.constant("int64", [dims.length], BigInt64Array.from(dims, BigInt));
    name = graph.add({ operator: "Expand", inputs: [flat, sizes], type: view.type, dims });
  }
  return plainView(name, view.type, shape);
}

export function alignAll(graph: GraphBuilder, views: readonly View[]): Alignment {
  return (
    align(views) ?? present(align(views.map((view) => refactor(graph, view))), "an alignment of plain arrays")
  );
}

/** One factor per axis: such arrays always align. */
function refactor(graph: GraphBuilder, view: View): View {
  const whole = materialise(graph, view);
  return plainView(whole.name, whole.type, shapeOf(whole));
}

/** The array with its stored keys in the wanted order. */
export function inOrder(graph: GraphBuilder, { name, view, order }: Aligned, wanted: readonly Key[]): string {
  if (matches(order, wanted)) return name;
  const runs = adjacentRuns(order, wanted);
  const starts = wanted
    .flatMap((key) => runs.findIndex((run) => run[0] === key))
    .filter((index) => index >= 0);
  const shaped = graph.shaped(name, runs.map(sizeOf));
  const dims = starts.map((run) => sizeOf(runs[run] ?? []));
  return graph.add({
    operator: "Transpose",
    inputs: [shaped],
    attributes: { perm: starts },
    type: view.type,
    dims,
  });
}

/** Keys that stay neighbours move as one. */
function adjacentRuns(order: readonly Key[], wanted: readonly Key[]): Key[][] {
  const runs: Key[][] = [];
  for (const key of order) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    if (run !== undefined && before !== undefined && wanted.indexOf(before) + 1 === wanted.indexOf(key))
      run.push(key);
    else runs.push([key]);
  }
  return runs;
}

/** The order of the largest operand, by majority among equals, with what it lacks put in its logical place. */
export function commonOrder({ axes, operands }: Alignment): Key[] {
  const logical = axes.flat();
  const largest = Math.max(0, ...operands.map(({ order }) => sizeOf(order)));
  const candidates = operands.filter(({ order }) => sizeOf(order) === largest);
  const votes = (one: Aligned): number => candidates.filter(({ order }) => matches(order, one.order)).length;
  const best = candidates.toSorted((a, b) => votes(b) - votes(a))[0];
  const result = [...(best?.order ?? [])];
  const isStored = (key: Key): boolean => operands.some(({ order }) => order.includes(key));
  for (const [index, key] of logical.entries()) {
    if (result.includes(key) || !isStored(key)) continue;
    const before = logical.slice(0, index).findLast((one) => result.includes(one));
    result.splice(before === undefined ? 0 : result.indexOf(before) + 1, 0, key);
  }
  return result;
}

export function groupKeys(order: readonly Key[], kindOf: (key: Key) => string | boolean): Key[][] {
  const groups: Key[][] = [];
  for (const key of order) {
    const group = groups.at(-1);
    if (group !== undefined && kindOf(first(group)) === kindOf(key)) group.push(key);
    else groups.push([key]);
  }
  return groups;
}

export function viewOf(
  name: string,
  type: ElementType,
  order: readonly Key[],
  axes: readonly (readonly Key[])[],
): View {
  const factors = new Map<Key, Factor>(axes.flat().map((key) => [key, factor(key.size)]));
  const get = (key: Key): Factor => present(factors.get(key), "a factor of a result");
  return { name, type, stored: order.map(get), axes: axes.map((keys) => keys.map(get)) };
}

export function matches(one: readonly Key[], other: readonly Key[]): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index]);
}

export function sizeOf(keys: readonly Key[]): number {
  return keys.reduce((product, { size }) => product * size, 1);
}

export function first(keys: readonly Key[]): Key {
  return present(keys[0], "the first key of a group");
}
