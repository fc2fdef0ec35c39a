/**
 * What crosses the wire, as plain data: rows, requests of a pass, results. Between the bytes below and the client
 * above; knows neither losses nor models.
 */

export type WireChunk =
  | { readonly kind: "tokens"; readonly tokenIds: readonly number[] }
  | {
      readonly kind: "image";
      /** The encoded file. */
      readonly bytes: Uint8Array;
      readonly format: "png" | "jpeg";
      readonly expectedTokens?: number;
    };

/** One row: what goes in, and named tensors of one dimension. Integers travel as int64. */
export interface WireRow {
  readonly input: readonly WireChunk[];
  readonly tensors: Readonly<Record<string, Int32Array | Float32Array>>;
}

/** A forward pass, or one with gradients. */
export interface PassRequest {
  readonly modelId: string;
  /** From 1, per model. */
  readonly sequenceNumber: number;
  readonly rows: readonly WireRow[];
  readonly lossName: string;
  readonly settings: Readonly<Record<string, number>>;
  readonly isForwardOnly: boolean;
}

/** Per row the named outputs; metrics as the server named them. */
export interface PassOutput {
  readonly rows: readonly Readonly<Record<string, Float32Array>>[];
  readonly metrics: Readonly<Record<string, number>>;
}

export interface WireSequence {
  readonly tokenIds: readonly number[];
  readonly logprobs: Float32Array | null;
  readonly stopReason: "stop" | "length";
}

export interface SampleOutput {
  readonly sequences: readonly WireSequence[];
  /** One per prompt token, NaN where there is none. */
  readonly promptLogprobs: Float32Array | null;
}
