/** What the fake engine can do. */
import { builtInLossKinds, optimizerKinds, type Capability } from "../../contract/index.ts";

export const fakeCapabilities: readonly Capability[] = [
  "images",
  "prompt-logprobs",
  "entropies",
  "values",
  "embeddings",
  "one-pass-custom-loss",
  ...builtInLossKinds.map((kind): Capability => `loss:${kind}`),
  ...optimizerKinds.map((kind): Capability => `optimizer:${kind}`),
  "lora",
  "full-finetune",
  "several-models",
  "discard-gradients",
  "deterministic",
  "batch-invariant",
  "cancel",
];
