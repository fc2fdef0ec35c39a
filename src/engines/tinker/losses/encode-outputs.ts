/**
 * The two halves of a custom loss on servers of ours: a pass that gives outputs and may keep its graph, and the
 * gradient of the loss by these outputs. Knows no order of calls.
 */
import type { Datum, LossOutputName } from "../../../contract/index.ts";
import type { Pass } from "../client/submissions.ts";
import type { CheckedGradients } from "./check-gradients.ts";
import { wireChunks } from "./encode-loss.ts";

/** Outputs besides log-probabilities. */
export type OtherOutput = Exclude<LossOutputName, "logprobs">;

/** A pass that gives log-probabilities and what else a loss reads; `isHeld` lets its graph wait for a gradient. */
export function encodeOutputs(data: readonly Datum[], reads: readonly OtherOutput[], isHeld: boolean): Pass {
  return {
    rows: data.map(({ input, targets }) => ({
      input: wireChunks(input),
      tensors: { target_tokens: targets },
    })),
    lossName: "spar_outputs",
    settings: { ...Object.fromEntries(reads.map((name) => [name, 1])), ...(isHeld ? { hold: 1 } : {}) },
    isForwardOnly: true,
  };
}

/** Adds the gradient of the graph that the pass of this number holds. */
export function encodeGradients(gradients: CheckedGradients, forwardNumber: number): Pass {
  const { logprobs, entropies, values } = gradients;
  return {
    rows: logprobs.map((gradient, row) => ({
      input: [],
      tensors: {
        logprobs: Float32Array.from(gradient),
        ...(entropies === undefined ? {} : { entropies: Float32Array.from(entropies[row] ?? []) }),
        ...(values === undefined ? {} : { values: Float32Array.from(values[row] ?? []) }),
      },
    })),
    lossName: "spar_backward",
    settings: { forward_seq_id: forwardNumber },
    hasOutputs: false,
  };
}
