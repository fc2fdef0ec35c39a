/** Results in protobuf: of passes and of sampling. What does not fit together is refused. */
import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { messageOf } from "../../../base/index.ts";
import { unexpectedAnswer } from "../errors.ts";
import { readBfloat16, readFloat32, readInt32, readInt64 } from "./binary.ts";
import type { PassOutput, SampleOutput, WireSequence } from "./data.ts";
import {
  DType,
  ForwardBackwardOutputSchema,
  SampleResponseSchema,
  StopReason,
  type ArrayRecord,
  type BatchedTensor,
  type SampledSequence,
} from "./generated/tinker_public_pb.ts";

/** @throws `unexpected-answer` */
export function decodePassOutput(bytes: Uint8Array, what: string): PassOutput {
  const message = decode(ForwardBackwardOutputSchema, bytes, what);
  return {
    rows: message.lossFnOutputs.flatMap((record) => rowsOf(record, what)),
    metrics: message.metrics,
  };
}

/** @throws `unexpected-answer` */
export function decodeSampleOutput(bytes: Uint8Array, what: string): SampleOutput {
  const message = decode(SampleResponseSchema, bytes, what);
  const prompt = message.promptLogprobs;
  return {
    sequences: message.sequences.map((sequence) => sequenceOf(sequence, what)),
    promptLogprobs:
      prompt === undefined || prompt.length === 0
        ? null
        : readFloat32(prompt, `${what}: log-probabilities of the prompt`),
  };
}

function decode<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array, what: string): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes);
  } catch (thrown) {
    throw unexpectedAnswer(
      what,
      `a message ${schema.typeName}`,
      `${bytes.length} bytes: ${messageOf(thrown)}`,
    );
  }
}

function rowsOf(record: ArrayRecord, what: string): Record<string, Float32Array>[] {
  const fields = Object.entries(record.fields).map(([name, tensor]) => ({
    name,
    parts: partsOf(tensor, `${what}: output ${name}`),
  }));
  // Older servers leave the count out.
  const rowCount = Number(record.numDatums) || (fields[0]?.parts.length ?? 0);
  for (const { name, parts } of fields) {
    if (parts.length !== rowCount)
      throw unexpectedAnswer(what, `${rowCount} rows of output ${name}`, `${parts.length}`);
  }
  return Array.from({ length: rowCount }, (_unused, row) =>
    Object.fromEntries(fields.map(({ name, parts }) => [name, parts[row] ?? new Float32Array()])),
  );
}

function partsOf(tensor: BatchedTensor, what: string): Float32Array[] {
  const offsets = readInt64(tensor.offsets, what);
  return offsets.slice(1).map((end, index) => {
    const start = offsets[index] ?? 0;
    if (start < 0 || end < start || end > tensor.data.length)
      throw unexpectedAnswer(what, `offsets within ${tensor.data.length} bytes`, `${start} to ${end}`);
    return numbersOf(tensor.dtype, tensor.data.subarray(start, end), what);
  });
}

function numbersOf(dtype: DType, bytes: Uint8Array, what: string): Float32Array {
  switch (dtype) {
    case DType.DTYPE_FLOAT32:
      return readFloat32(bytes, what);
    case DType.DTYPE_BFLOAT16:
      return readBfloat16(bytes, what);
    case DType.DTYPE_INT32:
      return Float32Array.from(readInt32(bytes, what));
    case DType.DTYPE_INT64:
      return Float32Array.from(readInt64(bytes, what));
    default:
      throw unexpectedAnswer(what, "numbers of a known type", `type ${dtype}`);
  }
}

function sequenceOf(sequence: SampledSequence, what: string): WireSequence {
  const tokenIds = Array.from(readInt32(sequence.tokens, `${what}: token ids`));
  const bytes = sequence.logprobs;
  const logprobs =
    bytes === undefined || (bytes.length === 0 && tokenIds.length > 0)
      ? null
      : readFloat32(bytes, `${what}: log-probabilities`);
  if (logprobs !== null && logprobs.length !== tokenIds.length)
    throw unexpectedAnswer(what, `${tokenIds.length} log-probabilities`, `${logprobs.length}`);
  switch (sequence.stopReason) {
    case StopReason.STOP:
      return { tokenIds, logprobs, stopReason: "stop" };
    case StopReason.LENGTH:
      return { tokenIds, logprobs, stopReason: "length" };
    default:
      throw unexpectedAnswer(what, "stop reason 0 or 1", String(sequence.stopReason));
  }
}
