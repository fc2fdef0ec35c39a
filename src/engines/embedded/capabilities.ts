/** What this engine can do. Images are not here yet, and so are not listed. */
import type { Capability } from "../../contract/index.ts";

export const embeddedCapabilities: ReadonlySet<Capability> = new Set<Capability>([
  "prompt-logprobs",
  "entropies",
  "values",
  "embeddings",
  "one-pass-custom-loss",
  "loss:crossEntropy",
  "loss:importanceSampling",
  "loss:ppo",
  "loss:cispo",
  "loss:dro",
  "optimizer:adam",
  "optimizer:adamw",
  "optimizer:rmsprop",
  "optimizer:sgd",
  "lora",
  "full-finetune",
  "several-models",
  "discard-gradients",
  "deterministic",
  "batch-invariant",
  "cancel",
]);

/** The native executor's kernels choose their path by the size of a batch. */
export const nativeCapabilities: ReadonlySet<Capability> = new Set(
  [...embeddedCapabilities].filter((capability) => capability !== "batch-invariant"),
);
