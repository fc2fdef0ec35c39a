/**
 * What an engine can do, as a closed list of words. A recipe states what it needs; what is missing
 * is refused before the run starts. Nothing else may be asked of an engine by name.
 */
import type { BuiltInLossKind } from "./losses.ts";
import type { OptimizerKind } from "./optimizers.ts";

export type Capability =
  | "images"
  | "prompt-logprobs"
  | "entropies"
  | "values"
  | "embeddings"
  | "one-pass-custom-loss"
  | `loss:${BuiltInLossKind}`
  | `optimizer:${OptimizerKind}`
  | "lora"
  | "full-finetune"
  | "several-models"
  | "hub-models"
  | "discard-gradients"
  | "deterministic"
  | "batch-invariant"
  | "cancel"
  | "idempotent-submission";

/** Every capability with the sentence that `spar plan` and `spar doctor` print. */
export const capabilityMeanings: Readonly<Record<Capability, string>> = {
  images: "images reach both sampling and training",
  "prompt-logprobs": "sampling returns log-probabilities of the prompt",
  entropies: "custom losses can read the entropy of each position",
  values: "models can carry a value head",
  embeddings: "the mean of the last hidden layer can be read",
  "one-pass-custom-loss": "a custom loss runs on the graph of one forward pass",
  "loss:crossEntropy": "built-in loss crossEntropy",
  "loss:importanceSampling": "built-in loss importanceSampling",
  "loss:ppo": "built-in loss ppo",
  "loss:cispo": "built-in loss cispo",
  "loss:dro": "built-in loss dro",
  "optimizer:adam": "optimizer Adam",
  "optimizer:adamw": "optimizer AdamW",
  "optimizer:rmsprop": "optimizer RMSProp",
  "optimizer:sgd": "optimizer SGD",
  lora: "low-rank adapters can be trained",
  "full-finetune": "all weights can be trained",
  "several-models": "several models live side by side",
  "hub-models": "models are found on the hub by name, not only in folders",
  "discard-gradients": "accumulated gradients can be dropped",
  deterministic: "the same seed and executor give the same bits",
  "batch-invariant": "the bits of a row do not depend on what else is in its batch",
  cancel: "work that was cancelled stops, it is not only forgotten",
  "idempotent-submission": "a call submitted twice is applied once",
};

/** The needed capabilities that are not there, in the order in which they were asked for. */
export function missingCapabilities(
  available: ReadonlySet<Capability>,
  needed: readonly Capability[],
): Capability[] {
  return needed.filter((capability) => !available.has(capability));
}
