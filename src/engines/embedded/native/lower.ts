/**
 * From traced equations to ONNX graphs: one graph, or two where some outputs are wanted early. Whatever the early
 * outputs do not need is left to the second graph, which takes over what the first has computed.
 */
import { assert, present } from "../../../base/index.ts";
import { GraphBuilder } from "./graph-builder.ts";
import type { GraphTensor, OnnxGraph } from "./onnx-encoding.ts";
import {
  elementwise,
  flip,
  gatherRows,
  isLiteral,
  pad,
  reduce,
  reshape,
  sameType,
  slice,
  type Operand,
} from "./operations.ts";
import { materialise } from "./orders.ts";
import { dot } from "./product.ts";
import type { Equation, TracedFunction, TracedOperand, TracedValue } from "./traced.ts";
import {
  broadcastView,
  plainView,
  productOf,
  reshapeView,
  shapeOf,
  transposeView,
  type View,
} from "./view.ts";

/** Graphs with the names of their inputs and outputs. */
export interface LoweredFunction {
  readonly early: OnnxGraph;
  /** Null where every output is early. */
  readonly late: OnnxGraph | null;
  readonly inputNames: readonly string[];
  /** In the order of the traced outputs. */
  readonly outputNames: readonly string[];
  /** What the late graph takes from the early one. */
  readonly handedOver: readonly GraphTensor[];
}

const unaryOperators: Readonly<Record<string, string>> = {
  neg: "Neg",
  reciprocal: "Reciprocal",
  exp: "Exp",
  log: "Log",
  sqrt: "Sqrt",
  logistic: "Sigmoid",
};
const binaryOperators: Readonly<Record<string, string>> = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  max: "Max",
  min: "Min",
};
const comparisons: Readonly<Record<string, string>> = {
  less: "Less",
  equal: "Equal",
  less_equal: "LessOrEqual",
};

/** @param lateInputs indices of inputs that are bound for the late graph only */
export function lower(traced: TracedFunction, lateInputs: readonly number[]): LoweredFunction {
  return new Lowering(traced, outputsWithout(traced, lateInputs)).run();
}

/** The outputs that depend on none of the given inputs. */
function outputsWithout(traced: TracedFunction, inputs: readonly number[]): number[] {
  const touched = new Set<TracedOperand>(inputs.map((index) => present(traced.inputs[index], "an input")));
  for (const { inputs: operands, output } of traced.equations) {
    if (operands.some((operand) => touched.has(operand))) touched.add(output);
  }
  return traced.outputs.flatMap((output, index) => (touched.has(output) ? [] : [index]));
}

class Lowering {
  private readonly traced: TracedFunction;
  private readonly views = new Map<TracedValue, View>();
  private readonly users = new Map<TracedValue, Equation[]>();
  private readonly early: GraphBuilder;
  private readonly late: GraphBuilder;
  private readonly handedOver: GraphTensor[] = [];
  private readonly earlyOutputs: readonly number[];
  private readonly inputTensors: GraphTensor[];
  private graph: GraphBuilder;

  constructor(traced: TracedFunction, earlyOutputs: readonly number[]) {
    this.traced = traced;
    this.earlyOutputs = earlyOutputs;
    this.early = new GraphBuilder("e", (name) => this.inputNamed(name));
    this.late = new GraphBuilder("l", (name) => this.takeOver(name));
    this.graph = this.early;
    this.inputTensors = traced.inputs.map(({ type, shape }, index) => ({
      name: `in${index}`,
      type,
      dims: shape,
    }));
    for (const equation of traced.equations) {
      for (const input of equation.inputs)
        this.users.set(input, [...(this.users.get(input) ?? []), equation]);
    }
  }

  run(): LoweredFunction {
    const { traced } = this;
    for (const [index, value] of traced.inputs.entries())
      this.views.set(value, plainView(`in${index}`, value.type, value.shape));
    const earlyEquations = ancestors(
      traced,
      this.earlyOutputs.map((index) => present(traced.outputs[index], "an output")),
    );
    for (const equation of traced.equations)
      if (earlyEquations.has(equation)) this.lowerInto(this.early, equation);
    for (const equation of traced.equations) {
      if (!earlyEquations.has(equation) || this.isRepeated(equation, earlyEquations))
        this.lowerInto(this.late, equation);
    }
    const outputNames = traced.outputs.map((value, index) => {
      this.graph = this.earlyOutputs.includes(index) ? this.early : this.late;
      return this.outputName(value);
    });
    const isEarly = (index: number): boolean => this.earlyOutputs.includes(index);
    const lateNames = outputNames.filter((_, index) => !isEarly(index));
    // Built first: naming what it takes over completes the list.
    const late = lateNames.length === 0 ? null : this.late.build(lateNames);
    const earlyNames = outputNames.filter((_, index) => isEarly(index));
    const early = this.early.build([...earlyNames, ...this.handedOver.map(({ name }) => name)]);
    const inputNames = this.inputTensors.map(({ name }) => name);
    return { early, late, inputNames, outputNames, handedOver: this.handedOver };
  }

  /** Truth values do not cross between graphs: comparing again is cheaper than keeping them. */
  private isRepeated(equation: Equation, earlyEquations: ReadonlySet<Equation>): boolean {
    const users = this.users.get(equation.output) ?? [];
    return equation.primitive === "compare" && users.some((user) => !earlyEquations.has(user));
  }

  private inputNamed(name: string): GraphTensor {
    return present(
      this.inputTensors.find((tensor) => tensor.name === name),
      `the input ${name}`,
    );
  }

  private takeOver(name: string): GraphTensor {
    if (!this.early.has(name) || name.startsWith("in")) return this.inputNamed(name);
    const tensor = this.early.tensor(name);
    this.handedOver.push(tensor);
    return tensor;
  }

  private outputName(value: TracedValue): string {
    const plain = materialise(this.graph, this.viewOf(value));
    const shaped = this.graph.shaped(plain.name, shapeOf(plain));
    return this.graph.add({ operator: "Identity", inputs: [shaped], type: plain.type, dims: shapeOf(plain) });
  }

  private viewOf(value: TracedValue): View {
    const view = this.views.get(value);
    if (view !== undefined) return view;
    const data = present(this.traced.constants.get(value), "a value that was computed before");
    return plainView(this.graph.constant(value.type, value.shape, data), value.type, value.shape);
  }

  private operand(input: TracedOperand): Operand {
    return "value" in input ? { type: input.type, value: input.value } : this.viewOf(input);
  }

  private lowerInto(graph: GraphBuilder, equation: Equation): void {
    this.graph = graph;
    this.views.set(equation.output, this.lowerEquation(equation));
  }

  private lowerEquation(equation: Equation): View {
    const { graph } = this;
    const { primitive, parameters } = equation;
    const operands = equation.inputs.map((input) => this.operand(input));
    const view = (index: number): View => {
      const operand = operands[index];
      assert(operand !== undefined && !isLiteral(operand), `${primitive} of a literal`);
      return operand;
    };
    const unary = unaryOperators[primitive];
    if (unary !== undefined) return elementwise(graph, unary, operands);
    const binary = binaryOperators[primitive];
    if (binary !== undefined) return elementwise(graph, binary, operands);
    switch (primitive) {
      case "stop_gradient":
        return view(0);
      case "compare":
        return elementwise(
          graph,
          present(comparisons[String(parameters["op"])], "a comparison"),
          sameType(operands),
          { type: "bool" },
        );
      case "where":
        return elementwise(graph, "Where", operands, { type: equation.output.type });
      case "cast":
        return this.cast(view(0), equation.output);
      case "reduce":
        return reduce(
          graph,
          parameters["op"] === "Max" ? "max" : "sum",
          view(0),
          numbers(parameters["axis"]),
        );
      case "dot":
        return dot(graph, view(0), view(1), (result, columnCount) =>
          this.endsColumnsFirst(equation, result, columnCount),
        );
      case "gather":
        return gatherRows(graph, view(0), view(1));
      case "flip":
        return numbers(parameters["axis"]).reduce((flipped, axis) => flip(graph, flipped, axis), view(0));
      case "shrink":
        return slice(graph, view(0), pairs(parameters["slice"]));
      case "pad":
        return pad(graph, view(0), pairs(parameters["width"]));
      default:
        return present(
          moved(primitive, parameters, view(0), (shape) => reshape(graph, view(0), shape)),
          `an ONNX form of ${primitive}`,
        );
    }
  }

  private cast(view: View, { type }: TracedValue): View {
    assert(type === "float32", `a cast to ${type}`);
    return elementwise(this.graph, "Cast", [view], { type, attributes: { to: 1 } });
  }

  /** Whether what is done with a product next reads its columns before its rows, so that the transpose is cheaper. */
  private endsColumnsFirst(equation: Equation, result: View, columnCount: number): boolean {
    let view = result;
    let users = this.users.get(equation.output) ?? [];
    for (let [user] = users; user !== undefined && users.length === 1; [user] = users) {
      const next = moved(
        user.primitive,
        user.parameters,
        view,
        (shape) => reshapeView(view, shape) ?? undefined,
      );
      if (next === undefined) break;
      view = next;
      users = this.users.get(user.output) ?? [];
    }
    const innermost = view.axes.flat().findLast((one) => view.stored.includes(one));
    if (innermost === undefined) return false;
    return productOf(view.stored.slice(view.stored.indexOf(innermost))) > columnCount;
  }
}

/** Movements that need no computation; undefined for any other primitive. */
function moved(
  primitive: string,
  parameters: Equation["parameters"],
  view: View,
  toShape: (shape: readonly number[]) => View | undefined,
): View | undefined {
  switch (primitive) {
    case "reshape":
      return toShape(numbers(parameters["shape"]));
    case "transpose":
      return transposeView(view, numbers(parameters["perm"]));
    case "broadcast":
      return broadcastView(view, numbers(parameters["shape"]), numbers(parameters["axis"]));
    default:
      return undefined;
  }
}

function ancestors(traced: TracedFunction, outputs: readonly TracedValue[]): Set<Equation> {
  const wanted = new Set<TracedOperand>(outputs);
  const result = new Set<Equation>();
  for (const equation of traced.equations.toReversed()) {
    if (!wanted.has(equation.output)) continue;
    result.add(equation);
    for (const input of equation.inputs) wanted.add(input);
  }
  return result;
}

function numbers(value: unknown): number[] {
  assert(Array.isArray(value) && value.every((one) => typeof one === "number"), "a list of numbers");
  return value;
}

function pairs(value: unknown): [number, number][] {
  assert(Array.isArray(value), "a list of pairs");
  return value.map((pair) => {
    const [start = 0, end = 0] = numbers(pair);
    return [start, end];
  });
}
