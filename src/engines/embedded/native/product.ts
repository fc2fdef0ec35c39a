/** Sums of products, written as matrix products: the operation in which a transformer spends its time. */
import { assert } from "../../../base/index.ts";
import type { Aligned, Key } from "./align.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { elementwise, reduce } from "./operations.ts";
import { alignAll, inOrder, matches, sizeOf, viewOf } from "./orders.ts";
import type { View } from "./view.ts";

/** Which part of a product a key belongs to. */
interface ProductKeys {
  readonly batch: readonly Key[];
  readonly rows: readonly Key[];
  readonly columns: readonly Key[];
  readonly inner: readonly Key[];
}

/**
 * The sum of x times y over the last axis: a batch of matrix products as soon as one side lacks a key.
 *
 * @param wantsColumnsFirst says of the result in row order whether the transposed product is the better one
 */
export function dot(
  graph: GraphBuilder,
  x: View,
  y: View,
  wantsColumnsFirst: (result: View, columnCount: number) => boolean = () => false,
): View {
  const alignment = alignAll(graph, [x, y]);
  const last = alignment.axes.length - 1;
  const [left, right] = alignment.operands;
  assert(left !== undefined && right !== undefined, "a product of two operands");
  const hasLeft = new Set(left.order);
  const hasRight = new Set(right.order);
  const keys = alignment.axes.flat();
  const isInner = (key: Key): boolean => key.axis === last;
  const isShared = (key: Key): boolean => hasLeft.has(key) && hasRight.has(key);
  const inner = left.order.filter((key) => isInner(key) && isShared(key));
  const hasLonelyInner = keys.some((key) => isInner(key) && !isShared(key));
  const rows = left.order.filter((key) => !isInner(key) && !hasRight.has(key));
  const columns = right.order.filter((key) => !isInner(key) && !hasLeft.has(key));
  if (hasLonelyInner || inner.length === 0 || (rows.length === 0 && columns.length === 0)) {
    const product = elementwise(graph, "Mul", [x, y]);
    return reduce(graph, "sum", product, [last]);
  }
  const batch = left.order.filter((key) => !isInner(key) && isShared(key));
  const parts = { batch, rows, columns, inner };
  const axes = alignment.axes.slice(0, last);
  const direct = (): View =>
    viewOf(multiply(graph, left, right, parts), x.type, [...batch, ...rows, ...columns], axes);
  const inRowOrder = viewOf("", x.type, [...batch, ...rows, ...columns], axes);
  if (!wantsColumnsFirst(inRowOrder, sizeOf(columns))) return direct();
  const swapped = { batch, rows: columns, columns: rows, inner };
  return viewOf(multiply(graph, right, left, swapped), x.type, [...batch, ...columns, ...rows], axes);
}

function multiply(graph: GraphBuilder, left: Aligned, right: Aligned, parts: ProductKeys): string {
  const { batch, rows, columns, inner } = parts;
  const leftOrder = nearestOrder(left.order, [...batch, ...rows, ...inner], [...batch, ...inner, ...rows]);
  const rightOrder = nearestOrder(
    right.order,
    [...batch, ...inner, ...columns],
    [...batch, ...columns, ...inner],
  );
  const transA = rows.length > 0 && leftOrder.at(-1) === rows.at(-1);
  const transB = columns.length > 0 && rightOrder.at(-1) === inner.at(-1);
  const leftName = inOrder(graph, left, leftOrder);
  const rightName = inOrder(graph, right, rightOrder);
  const [count, m, n, k] = [batch, rows, columns, inner].map(sizeOf) as [number, number, number, number];
  const withBatch = (...dims: number[]): number[] => (batch.length === 0 ? dims : [count, ...dims]);
  const inputs = [
    graph.shaped(leftName, transA ? withBatch(k, m) : withBatch(m, k)),
    graph.shaped(rightName, transB ? withBatch(n, k) : withBatch(k, n)),
  ];
  const common = { inputs, type: "float32" as const, dims: withBatch(m, n) };
  if (!transA && !transB) return graph.add({ operator: "MatMul", ...common });
  const attributes = { transA: Number(transA), transB: Number(transB) };
  return graph.add({ operator: "FusedMatMul", domain: "com.microsoft", attributes, ...common });
}

/** What the array already has, else what keeps its innermost part innermost, since that is cheap to move. */
function nearestOrder(order: readonly Key[], usual: readonly Key[], other: readonly Key[]): readonly Key[] {
  if (matches(order, usual) || matches(order, other)) return order;
  return order.at(-1) === other.at(-1) ? other : usual;
}
