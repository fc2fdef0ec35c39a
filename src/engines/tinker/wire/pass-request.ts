/** The body of a pass, as protobuf and as JSON, and the size by which large batches are cut. */
import { create, toBinary } from "@bufbuild/protobuf";
import type { JsonObject, JsonValue } from "../../../base/index.ts";
import { float32Bytes, int32Bytes, int64Bytes } from "./binary.ts";
import type { PassRequest, WireChunk, WireRow } from "./data.ts";
import {
  ChunkSchema,
  DType,
  ForwardBackwardRequestSchema,
  TensorSchema,
  type Chunk,
  type Tensor,
} from "./generated/tinker_public_pb.ts";

/** The body of `forward_backward` in protobuf. */
export function encodePass(request: PassRequest): Uint8Array {
  const message = create(ForwardBackwardRequestSchema, {
    modelId: request.modelId,
    seqId: request.sequenceNumber,
    lossFn: request.lossName,
    lossFnConfig: { ...request.settings },
    lossFnConfigV2: mapValues(request.settings, (number) => ({
      value: { case: "number" as const, value: number },
    })),
    forwardOnly: request.isForwardOnly,
    data: request.rows.map((row) => ({
      modelInput: row.input.map(chunkMessage),
      lossFnInputs: mapValues(row.tensors, tensorMessage),
    })),
  });
  return toBinary(ForwardBackwardRequestSchema, message);
}

/** The body of `forward` or `forward_backward` in JSON, as older servers take it. */
export function passJson(request: PassRequest): JsonObject {
  const input: JsonObject = {
    data: request.rows.map((row) => ({
      model_input: { chunks: row.input.map(chunkJson) },
      loss_fn_inputs: mapValues(row.tensors, (values) => ({
        data: Array.from(values),
        dtype: values instanceof Int32Array ? "int64" : "float32",
        shape: [values.length],
      })),
    })),
    loss_fn: request.lossName,
    ...(Object.keys(request.settings).length === 0 ? {} : { loss_fn_config: { ...request.settings } }),
  };
  return {
    model_id: request.modelId,
    seq_id: request.sequenceNumber,
    [request.isForwardOnly ? "forward_input" : "forward_backward_input"]: input,
  };
}

/** A chunk as JSON. */
export function chunkJson(chunk: WireChunk): JsonValue {
  if (chunk.kind === "tokens") return { type: "encoded_text", tokens: [...chunk.tokenIds] };
  return {
    type: "image",
    data: Buffer.from(chunk.bytes).toString("base64"),
    format: chunk.format,
    ...(chunk.expectedTokens === undefined ? {} : { expected_tokens: chunk.expectedTokens }),
  };
}

/**
 * Bytes of a row by the estimate of the official SDK: 4 per token id, images as they are, tensors as they lie.
 *
 * @unit bytes
 */
export function estimateRowBytes(row: WireRow): number {
  const chunkBytes = row.input.reduce(
    (sum, chunk) => sum + (chunk.kind === "tokens" ? 4 * chunk.tokenIds.length : chunk.bytes.byteLength),
    0,
  );
  return Object.values(row.tensors).reduce(
    (sum, values) => sum + values.length * (values instanceof Int32Array ? 8 : 4),
    chunkBytes,
  );
}

function chunkMessage(chunk: WireChunk): Chunk {
  if (chunk.kind === "tokens") {
    const value = { tokens: int32Bytes(chunk.tokenIds) };
    return create(ChunkSchema, { chunk: { case: "encodedText", value } });
  }
  const { bytes: data, format, expectedTokens } = chunk;
  const value = { data, format, ...(expectedTokens === undefined ? {} : { expectedTokens }) };
  return create(ChunkSchema, { chunk: { case: "image", value } });
}

function tensorMessage(values: Int32Array | Float32Array): Tensor {
  const isInteger = values instanceof Int32Array;
  return create(TensorSchema, {
    dtype: isInteger ? DType.DTYPE_INT64 : DType.DTYPE_FLOAT32,
    shape: [BigInt(values.length)],
    encoding: { case: "dense", value: isInteger ? int64Bytes(values) : float32Bytes(values) },
  });
}

function mapValues<In, Out>(
  record: Readonly<Record<string, In>>,
  change: (value: In) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
