/**
 * Turns the launches of a traced function into a program with its own memory plan.
 *
 * Inputs and outputs are bound to addresses when the program runs; everything between lives in one arena, where
 * two intermediates share bytes as soon as their lives do not overlap. A program has one or two phases: the second
 * holds what depends on the inputs marked late. Training uses that to stop after the log-probabilities, let the
 * caller compute any loss and its gradient in float64, and go on with the backward half.
 * The file knows nothing of threads, models or losses.
 */
import { assert, present } from "../../../base/index.ts";
import type { Capture, Launch } from "./capture.ts";

/** Where an operand of a launch lives. */
export type Operand =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "output"; readonly index: number }
  | { readonly kind: "arena"; readonly offset: number };

export interface Step {
  readonly module: WebAssembly.Module;
  /** The operands read, then the one written. */
  readonly operands: readonly Operand[];
  readonly size: number;
  readonly chunk: number;
}

export interface Program {
  readonly inputCount: number;
  readonly outputSizes: readonly number[];
  /** Steps before the late inputs are needed, then the steps after. */
  readonly phases: readonly [readonly Step[], readonly Step[]];
  readonly arenaBytes: number;
}

/** One value that flows between launches: written once, read by later launches. */
interface Value {
  readonly kind: "input" | "computed";
  readonly index: number;
  readonly bytes: number;
  lastUse: number;
}

interface Node {
  readonly launch: Launch;
  readonly reads: readonly Value[];
  readonly write: Value;
  readonly late: boolean;
}

export interface ProgramOptions {
  /** Indices of inputs that are bound for phase two only. */
  readonly lateInputs?: readonly number[];
  /** Outputs that will be bound to memory inside an input: they must be written before that input is first read. */
  readonly writtenInPlace?: readonly InPlace[];
}

export interface InPlace {
  readonly output: number;
  readonly input: number;
}

/** Builds a program from what `capture` recorded. */
export function buildProgram(captured: Capture, options: ProgramOptions = {}): Program {
  const { nodes, outputs } = linkValues(captured, new Set(options.lateInputs ?? []));
  for (const pair of options.writtenInPlace ?? []) checkInPlace(nodes, outputs, pair);
  const ordered = [...nodes.filter((node) => !node.late), ...nodes.filter((node) => node.late)];
  const { operandOf, arenaBytes } = planArena(ordered, outputs);
  const toStep = (node: Node): Step => ({
    module: node.launch.module,
    operands: [...node.reads, node.write].map(operandOf),
    size: node.launch.size,
    chunk: node.launch.chunk,
  });
  const early = ordered.filter((node) => !node.late).map(toStep);
  const late = ordered.filter((node) => node.late).map(toStep);
  return {
    inputCount: captured.inputs.length,
    outputSizes: captured.outputSizes,
    phases: [early, late],
    arenaBytes,
  };
}

/** The library reuses addresses; following writes in order gives every value a name of its own. */
function linkValues(
  captured: Capture,
  lateInputs: ReadonlySet<number>,
): { nodes: Node[]; outputs: Map<Value, number> } {
  const current = new Map<number, Value>();
  const late = new Set<Value>();
  for (const [index, address] of captured.inputs.entries()) {
    const value: Value = { kind: "input", index, bytes: 0, lastUse: -1 };
    current.set(address, value);
    if (lateInputs.has(index)) late.add(value);
  }
  const nodes: Node[] = [];
  for (const launch of captured.launches) {
    const reads = launch.reads.map((address) =>
      present(current.get(address), "the value that a kernel reads"),
    );
    const write: Value = { kind: "computed", index: nodes.length, bytes: launch.size * 4, lastUse: -1 };
    current.set(launch.write, write);
    const isLate = reads.some((value) => late.has(value));
    if (isLate) late.add(write);
    nodes.push({ launch, reads, write, late: isLate });
  }
  const outputs = new Map<Value, number>();
  for (const [index, address] of captured.outputs.entries()) {
    const value = present(current.get(address), "the value of an output");
    assert(
      value.kind === "computed" && !outputs.has(value),
      `output ${index} of a program is an input or another output`,
    );
    outputs.set(value, index);
  }
  return { nodes, outputs };
}

function checkInPlace(
  nodes: readonly Node[],
  outputs: ReadonlyMap<Value, number>,
  { output, input }: InPlace,
): void {
  const written = nodes.findIndex((node) => outputs.get(node.write) === output);
  const read = nodes.findIndex((node) =>
    node.reads.some((value) => value.kind === "input" && value.index === input),
  );
  assert(
    read === -1 || written < read,
    `output ${output} of a program is written in place after its input was read`,
  );
}

interface Block {
  readonly offset: number;
  readonly bytes: number;
  readonly lastUse: number;
}

/** First fit in order of time. Good enough: a training step of the sizes used here needs some tens of megabytes. */
function planArena(
  ordered: readonly Node[],
  outputs: ReadonlyMap<Value, number>,
): { operandOf: (value: Value) => Operand; arenaBytes: number } {
  for (const [time, node] of ordered.entries()) {
    node.write.lastUse = Math.max(node.write.lastUse, time);
    for (const value of node.reads) value.lastUse = time;
  }
  const offsets = new Map<Value, number>();
  let live: Block[] = [];
  let arenaBytes = 0;
  for (const [time, node] of ordered.entries()) {
    if (outputs.has(node.write)) continue;
    live = live.filter((block) => block.lastUse >= time);
    const bytes = Math.ceil(node.write.bytes / 64) * 64;
    const offset = firstFit(live, bytes);
    live.push({ offset, bytes, lastUse: node.write.lastUse });
    live.sort((a, b) => a.offset - b.offset);
    offsets.set(node.write, offset);
    arenaBytes = Math.max(arenaBytes, offset + bytes);
  }
  const operandOf = (value: Value): Operand => {
    if (value.kind === "input") return { kind: "input", index: value.index };
    const output = outputs.get(value);
    if (output !== undefined) return { kind: "output", index: output };
    return { kind: "arena", offset: present(offsets.get(value), "a place in the arena") };
  };
  return { operandOf, arenaBytes };
}

function firstFit(live: readonly Block[], bytes: number): number {
  let offset = 0;
  for (const block of live) {
    if (block.offset - offset >= bytes) break;
    offset = Math.max(offset, block.offset + block.bytes);
  }
  return offset;
}
