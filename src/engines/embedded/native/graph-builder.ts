/**
 * Collects the operators of one ONNX graph. The same operation on the same arrays is written once. Arrays are
 * row-major, so another shape of the same array is an alias that costs a name. Knows no logical axes.
 */
import { assert, present } from "../../../base/index.ts";
import type { ElementType, GraphNode, GraphTensor, Initializer, OnnxGraph } from "./onnx-encoding.ts";

export interface Operation {
  readonly operator: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly attributes?: GraphNode["attributes"];
  readonly type: ElementType;
  /** Of the result. */
  readonly dims: readonly number[];
}

export class GraphBuilder {
  private readonly nodes: GraphNode[] = [];
  private readonly initializers = new Map<string, Initializer>();
  private readonly tensors = new Map<string, GraphTensor>();
  private readonly inputs: GraphTensor[] = [];
  private readonly made = new Map<string, string>();
  private readonly prefix: string;
  private readonly importTensor: (name: string) => GraphTensor;

  /** `importTensor` gives what another graph computed, and is told of every such use once. */
  constructor(prefix: string, importTensor: (name: string) => GraphTensor) {
    this.prefix = prefix;
    this.importTensor = importTensor;
  }

  addInput(tensor: GraphTensor): void {
    this.inputs.push(tensor);
    this.tensors.set(tensor.name, tensor);
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  tensor(name: string): GraphTensor {
    const known = this.tensors.get(name);
    if (known !== undefined) return known;
    const imported = this.importTensor(name);
    this.addInput(imported);
    return imported;
  }

  /** The name of the result. */
  add(operation: Operation): string {
    const { operator, inputs, type, dims } = operation;
    const domain = operation.domain ?? "";
    const attributes = operation.attributes ?? {};
    const operands = operator === "Add" || operator === "Mul" ? inputs.toSorted() : inputs;
    const key = JSON.stringify([operator, domain, operands, attributes, dims]);
    const before = this.made.get(key);
    if (before !== undefined) return before;
    const name = `${this.prefix}${this.nodes.length}`;
    this.nodes.push({ operator, domain, inputs, outputs: [name], attributes });
    this.tensors.set(name, { name, type, dims });
    this.made.set(key, name);
    return name;
  }

  /** The array in another shape. */
  shaped(name: string, dims: readonly number[]): string {
    const tensor = this.tensor(name);
    if (sameDims(tensor.dims, dims)) return name;
    const sizes = this.constant("int64", [dims.length], BigInt64Array.from(dims, BigInt));
    return this.add({ operator: "Reshape", inputs: [name, sizes], type: tensor.type, dims });
  }

  constant(
    type: ElementType,
    dims: readonly number[],
    data: BigInt64Array | Float32Array | Int32Array,
  ): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    const key = `${type}/${dims.join("x")}/${Buffer.from(bytes).toString("base64")}`;
    const before = this.initializers.get(key);
    if (before !== undefined) return before.name;
    const name = `${this.prefix}c${this.initializers.size}`;
    this.initializers.set(key, { name, type, dims, bytes });
    this.tensors.set(name, { name, type, dims });
    return name;
  }

  scalar(type: ElementType, value: number): string {
    assert(type === "float32" || type === "int32", `a ${type} literal in a traced function`);
    return this.constant(type, [], type === "int32" ? Int32Array.of(value) : Float32Array.of(value));
  }

  build(outputs: readonly string[]): OnnxGraph {
    return {
      nodes: this.nodes,
      initializers: [...this.initializers.values()],
      inputs: this.inputs,
      outputs: outputs.map((name) => present(this.tensors.get(name), `the output ${name} of a graph`)),
    };
  }
}

function sameDims(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((size, index) => size === other[index]);
}
