/**
 * Array operations on lazy views, written as ONNX operators. What jax-js can say is reduced here to: element by
 * element, reduction, gather, and a few that need their operand written out. Products are in `product.ts`.
 */
import { present } from "../../../base/index.ts";
import type { Aligned, Key } from "./align.ts";
import type { GraphBuilder, Operation } from "./graph-builder.ts";
import type { ElementType } from "./onnx-encoding.ts";
import { alignAll, commonOrder, first, groupKeys, inOrder, materialise, sizeOf, viewOf } from "./orders.ts";
import { plainView, productOf, reshapeView, shapeOf, type View } from "./view.ts";

/** A scalar that is written into the graph. */
export interface Literal {
  readonly type: ElementType;
  readonly value: number;
}

export type Operand = View | Literal;

export function isLiteral(operand: Operand): operand is Literal {
  return "value" in operand;
}

/** A literal takes the type of what it is compared with: jax-js writes the number 3 as 3.0 beside whole numbers. */
export function sameType(operands: readonly Operand[]): Operand[] {
  const type = operands.find((operand) => !isLiteral(operand))?.type;
  return operands.map((operand) =>
    isLiteral(operand) && type !== undefined ? { ...operand, type } : operand,
  );
}

export function reshape(graph: GraphBuilder, view: View, shape: readonly number[]): View {
  const lazy = reshapeView(view, shape);
  if (lazy !== null) return lazy;
  return present(reshapeView(materialise(graph, view), shape), "a reshape of a plain array");
}

/** One ONNX operator over all elements, with broadcasting. */
export function elementwise(
  graph: GraphBuilder,
  operator: string,
  operands: readonly Operand[],
  options: { readonly type?: ElementType; readonly attributes?: Operation["attributes"] } = {},
): View {
  const views = operands.filter((operand): operand is View => !isLiteral(operand));
  const alignment = alignAll(graph, views);
  const order = commonOrder(alignment);
  const groups = groupKeys(order, (key) =>
    alignment.operands.map(({ order: own }) => own.includes(key)).join(),
  );
  const rest = [...alignment.operands];
  const inputs = operands.map((operand) => {
    if (isLiteral(operand)) return graph.scalar(operand.type, operand.value);
    const aligned = present(rest.shift(), "an operand");
    const name = inOrder(
      graph,
      aligned,
      order.filter((key) => aligned.order.includes(key)),
    );
    return graph.shaped(
      name,
      groups.map((keys) => (aligned.order.includes(first(keys)) ? sizeOf(keys) : 1)),
    );
  });
  const result = options.type ?? present(views[0], "an operand that is no literal").type;
  const attributes = options.attributes ?? {};
  const name = graph.add({ operator, inputs, attributes, type: result, dims: groups.map(sizeOf) });
  return viewOf(name, result, order, alignment.axes);
}

export function reduce(graph: GraphBuilder, kind: "sum" | "max", view: View, axes: readonly number[]): View {
  const alignment = alignAll(graph, [view]);
  const aligned = present(alignment.operands[0], "an operand");
  const isReduced = (key: Key): boolean => axes.includes(key.axis);
  const kept = alignment.axes.filter((_, axis) => !axes.includes(axis));
  const repeated = alignment.axes.flat().filter((key) => isReduced(key) && !aligned.order.includes(key));
  const name = aligned.order.some(isReduced) ? reduceKeys(graph, kind, aligned, isReduced) : view.name;
  const result = viewOf(
    name,
    view.type,
    aligned.order.filter((key) => !isReduced(key)),
    kept,
  );
  if (kind === "max" || repeated.length === 0) return result;
  return elementwise(graph, "Mul", [result, { type: view.type, value: sizeOf(repeated) }]);
}

function reduceKeys(
  graph: GraphBuilder,
  kind: "sum" | "max",
  { name, view, order }: Aligned,
  isReduced: (key: Key) => boolean,
): string {
  const groups = groupKeys(order, isReduced);
  const reducedAxes = groups.flatMap((keys, index) => (isReduced(first(keys)) ? [index] : []));
  const shaped = graph.shaped(name, groups.map(sizeOf));
  const dims = groups.filter((keys) => !isReduced(first(keys))).map(sizeOf);
  const common = { type: view.type, dims };
  if (kind === "max") {
    const attributes = { axes: reducedAxes, keepdims: 0 };
    return graph.add({ operator: "ReduceMax", inputs: [shaped], attributes, ...common });
  }
  const list = graph.constant("int64", [reducedAxes.length], BigInt64Array.from(reducedAxes, BigInt));
  return graph.add({ operator: "ReduceSum", inputs: [shaped, list], attributes: { keepdims: 0 }, ...common });
}

/** Rows of a table by number. */
export function gatherRows(graph: GraphBuilder, table: View, indices: View): View {
  const rows = materialise(graph, table);
  const numbers = materialise(graph, indices);
  const shape = [...shapeOf(numbers), ...shapeOf(rows).slice(1)];
  const inputs = [graph.shaped(rows.name, shapeOf(rows)), graph.shaped(numbers.name, shapeOf(numbers))];
  const attributes = { axis: 0 };
  const name = graph.add({ operator: "Gather", inputs, attributes, type: table.type, dims: shape });
  return plainView(name, table.type, shape);
}

/** Turns the order along an axis around. */
export function flip(graph: GraphBuilder, view: View, axis: number): View {
  const factors = view.axes[axis] ?? [];
  const [only] = factors;
  if (only === undefined) return view;
  if (factors.length > 1 || !view.stored.includes(only)) return flip(graph, materialise(graph, view), axis);
  const at = view.stored.indexOf(only);
  const dims = [productOf(view.stored.slice(0, at)), only.size, productOf(view.stored.slice(at + 1))];
  const backwards = Int32Array.from({ length: only.size }, (_, index) => only.size - 1 - index);
  const inputs = [graph.shaped(view.name, dims), graph.constant("int32", [only.size], backwards)];
  const name = graph.add({ operator: "Gather", inputs, attributes: { axis: 1 }, type: view.type, dims });
  return { ...view, name };
}

/** The part `[start, end)` of every axis. */
export function slice(graph: GraphBuilder, view: View, ranges: readonly (readonly [number, number])[]): View {
  const whole = materialise(graph, view);
  const shape = ranges.map(([start, end]) => end - start);
  const list = (numbers: readonly number[]): string =>
    graph.constant("int64", [numbers.length], BigInt64Array.from(numbers, BigInt));
  const inputs = [
    graph.shaped(whole.name, shapeOf(whole)),
    list(ranges.map(([start]) => start)),
    list(ranges.map(([, end]) => end)),
    list(ranges.map((_, axis) => axis)),
  ];
  return plainView(graph.add({ operator: "Slice", inputs, type: view.type, dims: shape }), view.type, shape);
}

/** Zeros before and after every axis. */
export function pad(graph: GraphBuilder, view: View, widths: readonly (readonly [number, number])[]): View {
  const whole = materialise(graph, view);
  const old = shapeOf(whole);
  const shape = widths.map(([before, after], axis) => before + (old[axis] ?? 1) + after);
  const pads = [...widths.map(([before]) => before), ...widths.map(([, after]) => after)];
  const inputs = [
    graph.shaped(whole.name, old),
    graph.constant("int64", [pads.length], BigInt64Array.from(pads, BigInt)),
  ];
  return plainView(graph.add({ operator: "Pad", inputs, type: view.type, dims: shape }), view.type, shape);
}
