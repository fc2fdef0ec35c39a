/** Where a model comes from and which of its weights are trained. */
import type { PolicyVersion } from "./versions.ts";

/** A decoder-only transformer for engines that build models themselves. */
export interface Architecture {
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly width: number;
  readonly layerCount: number;
  readonly headCount: number;
  /** Default: 4 times the width. */
  readonly feedForwardWidth?: number;
  /** Default `rms`. */
  readonly norm?: "rms" | "layer";
  /** `linear-bias` adds a per-head slope times the distance to attention scores. Default `rotary`. */
  readonly positions?: "rotary" | "learned" | "linear-bias";
  /** Default `gelu`; `swiglu` is the gated unit of Llama-class models. */
  readonly activation?: "gelu" | "relu" | "swiglu";
  /** Input and output embeddings are one matrix. Default true. Apart, those of the input begin with deviation 1. */
  readonly tiedEmbeddings?: boolean;
}

export type ModelSource =
  | { readonly kind: "architecture"; readonly architecture: Architecture; readonly seed: number }
  /** A folder in the hub's format, or a hub name where the engine may download. */
  | { readonly kind: "base"; readonly nameOrFolder: string }
  /** What `Model.save` wrote. */
  | { readonly kind: "saved"; readonly folder: string; readonly includeOptimizer?: boolean }
  /** The weights of a version that was published with `trainable`, with a new optimizer. */
  | { readonly kind: "version"; readonly version: PolicyVersion };

export type Tuning =
  | { readonly kind: "full" }
  | {
      readonly kind: "lora";
      readonly rank: number;
      /** The update is scaled by alpha / rank. */
      readonly alpha: number;
      readonly seed: number;
    };

/** The hub's tokenizer files as text; crosses threads, wires and checkpoints unchanged. */
export interface TokenizerDefinition {
  readonly tokenizerJson: string;
  readonly tokenizerConfigJson: string;
}
