/** What every server of the wire can do, as far as is known. */
import type { Capability } from "../../../contract/index.ts";

export const wireCapabilities: readonly Capability[] = [
  "prompt-logprobs",
  "loss:crossEntropy",
  "loss:importanceSampling",
  "loss:ppo",
  "loss:cispo",
  "loss:dro",
  "optimizer:adamw",
  "lora",
  "hub-models",
];
