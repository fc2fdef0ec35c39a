/**
 * Writes ONNX models: the few protobuf messages of the format that a graph of operators needs.
 *
 * Field numbers are those of onnx.proto, which never change. The file knows bytes, no operator by name.
 */
export type ElementType = "float32" | "int32" | "int64" | "bool";

export interface GraphTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
}

/** A constant of the graph. */
export interface Initializer extends GraphTensor {
  readonly bytes: Uint8Array;
}

export interface GraphNode {
  readonly operator: string;
  /** Empty for the standard's own operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, number | readonly number[]>>;
}

export interface OnnxGraph {
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly GraphTensor[];
  readonly outputs: readonly GraphTensor[];
}

const elementTypes: Readonly<Record<ElementType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9 };
/** Of the file format and of the operators. */
const irVersion = 8;
const operatorSet = 17;
const attributeKind = { integer: 2, integers: 7 } as const;

export function encodeModel(graph: OnnxGraph): Uint8Array {
  return message(
    varint(1, irVersion),
    bytes(7, encodeGraph(graph)),
    bytes(8, message(text(1, ""), varint(2, operatorSet))),
    bytes(8, message(text(1, "com.microsoft"), varint(2, 1))),
  );
}

function encodeGraph({ nodes, initializers, inputs, outputs }: OnnxGraph): Uint8Array {
  return message(
    ...nodes.map((node) => bytes(1, encodeNode(node))),
    text(2, "program"),
    ...initializers.map((tensor) => bytes(5, encodeInitializer(tensor))),
    ...inputs.map((tensor) => bytes(11, encodeValue(tensor))),
    ...outputs.map((tensor) => bytes(12, encodeValue(tensor))),
  );
}

function encodeNode({ operator, domain, inputs, outputs, attributes }: GraphNode): Uint8Array {
  return message(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, encodeAttribute(name, value))),
    text(7, domain),
  );
}

function encodeAttribute(name: string, value: number | readonly number[]): Uint8Array {
  if (typeof value === "number")
    return message(text(1, name), varint(3, value), varint(20, attributeKind.integer));
  return message(text(1, name), ...value.map((one) => varint(8, one)), varint(20, attributeKind.integers));
}

function encodeInitializer({ name, type, dims, bytes: data }: Initializer): Uint8Array {
  return message(
    ...dims.map((size) => varint(1, size)),
    varint(2, elementTypes[type]),
    text(8, name),
    bytes(9, data),
  );
}

function encodeValue({ name, type, dims }: GraphTensor): Uint8Array {
  const shape = message(...dims.map((size) => bytes(1, message(varint(1, size)))));
  const tensor = message(varint(1, elementTypes[type]), bytes(2, shape));
  return message(text(1, name), bytes(2, message(bytes(1, tensor))));
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
  const total = fields.reduce((sum, field) => sum + field.length, 0);
  const result = new Uint8Array(total);
  let at = 0;
  for (const field of fields) {
    result.set(field, at);
    at += field.length;
  }
  return result;
}

function varint(field: number, value: number): Uint8Array {
  return Uint8Array.from([...base128(BigInt(field * 8)), ...base128(BigInt.asUintN(64, BigInt(value)))]);
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  const head = Uint8Array.from([...base128(BigInt(field * 8 + 2)), ...base128(BigInt(value.length))]);
  return message(head, value);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(value));
}

function base128(value: bigint): number[] {
  const result: number[] = [];
  let rest = value;
  while (rest >= 128n) {
    result.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  result.push(Number(rest));
  return result;
}
