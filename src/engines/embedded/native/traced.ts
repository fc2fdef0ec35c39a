/**
 * What jax-js traced, as plain data: equations over numbered values. The only file here that touches the library's
 * own objects; it refuses what it does not know instead of guessing.
 */
import { assert } from "../../../base/index.ts";
import { loadJax, type JaxArray, type JaxModule, type TensorSpec } from "../executor/capture.ts";
import type { ElementType } from "./onnx-encoding.ts";

export interface TracedValue {
  readonly shape: readonly number[];
  readonly type: ElementType;
}

export type TracedOperand = TracedValue | TracedLiteral;

export interface TracedLiteral extends TracedValue {
  readonly value: number;
}

export interface Equation {
  readonly primitive: string;
  readonly inputs: readonly TracedOperand[];
  readonly output: TracedValue;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Values are compared by identity. */
export interface TracedFunction {
  readonly inputs: readonly TracedValue[];
  /** Values that do not depend on the inputs. */
  readonly constants: ReadonlyMap<TracedValue, Float32Array | Int32Array>;
  readonly equations: readonly Equation[];
  readonly outputs: readonly TracedValue[];
}

type Jaxpr = ReturnType<ReturnType<JaxModule["makeJaxpr"]>>["jaxpr"]["jaxpr"];
type LibraryAtom = Jaxpr["outs"][number];

/** Traces a pure function on inputs of the given shapes. Nothing is computed. */
export async function trace(
  specs: readonly TensorSpec[],
  build: (jax: JaxModule, inputs: JaxArray[]) => JaxArray[],
): Promise<TracedFunction> {
  const jax = await loadJax();
  await jax.init("cpu");
  const before = jax.defaultDevice();
  // Constants must be computed, and the recording Worker of the other device computes nothing.
  jax.defaultDevice("cpu");
  try {
    const arrays = specs.map((spec) => jax.numpy.zeros([...spec.shape], { dtype: jax.numpy[spec.type] }));
    const { jaxpr, consts } = jax.makeJaxpr((inputs: JaxArray[]) => build(jax, inputs))(arrays).jaxpr;
    return readJaxpr(jaxpr, consts.length, (index) => readConstant(consts[index]));
  } finally {
    jax.defaultDevice(before);
  }
}

function readConstant(constant: unknown): Float32Array | Int32Array {
  assert(
    typeof constant === "object" &&
      constant !== null &&
      "dataSync" in constant &&
      typeof constant.dataSync === "function",
    "a constant of a traced function is no array",
  );
  const data: unknown = Reflect.apply(constant.dataSync, constant, []);
  assert(data instanceof Float32Array || data instanceof Int32Array, "a constant of an unknown type");
  return data;
}

function readJaxpr(
  jaxpr: Jaxpr,
  constantCount: number,
  constantAt: (index: number) => Float32Array | Int32Array,
): TracedFunction {
  const values = new Map<LibraryAtom, TracedOperand>();
  const valueOf = (atom: LibraryAtom): TracedOperand => {
    const known = values.get(atom);
    if (known !== undefined) return known;
    const made = readAtom(atom);
    values.set(atom, made);
    return made;
  };
  const equations = jaxpr.eqns.map((equation): Equation => {
    const [output] = equation.outBinders;
    assert(output !== undefined && equation.outBinders.length === 1, "an operation with one result");
    const { primitive, inputs, params } = equation;
    return { primitive, inputs: inputs.map(valueOf), output: valueOf(output), parameters: params };
  });
  const binders = jaxpr.inBinders.map(valueOf);
  const used = new Set(equations.flatMap((equation) => equation.inputs));
  const constants = new Map<TracedValue, Float32Array | Int32Array>();
  for (const [index, value] of binders.slice(0, constantCount).entries()) {
    if (used.has(value)) constants.set(value, constantAt(index));
  }
  return { inputs: binders.slice(constantCount), constants, equations, outputs: jaxpr.outs.map(valueOf) };
}

function readAtom(atom: LibraryAtom): TracedOperand {
  const { shape } = atom.aval;
  const type = atom.aval.dtype;
  assert(type === "float32" || type === "int32" || type === "bool", `a traced value of type ${type}`);
  return "value" in atom ? { shape, type, value: atom.value } : { shape, type };
}
