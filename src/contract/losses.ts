/**
 * The five built-in losses by name and setting, and the shape of a custom loss. All sums run over
 * the tokens of the whole batch, never means, so that micro-batching is exact. The float64 reference
 * of each built-in loss is in `reference/`. Knows no method: a method chooses weights and advantages.
 */
import type { Datum } from "./inputs.ts";

export type BuiltInLoss =
  /** -sum w l */
  | { readonly kind: "crossEntropy" }
  /** -sum w exp(l - q) A */
  | { readonly kind: "importanceSampling" }
  /** -sum w min(r A, clip(r, clipLow, clipHigh) A), r = exp(l - q); paper: arXiv:1707.06347v2 eq. 7 */
  | { readonly kind: "ppo"; readonly clipLow: number; readonly clipHigh: number }
  /** -sum w stopGradient(clip(r, clipLow, clipHigh)) A l */
  | { readonly kind: "cispo"; readonly clipLow: number; readonly clipHigh: number }
  /** -sum w (A l - beta/2 (l - q)^2) */
  | { readonly kind: "dro"; readonly beta: number };

export type BuiltInLossKind = BuiltInLoss["kind"];

export const builtInLossKinds: readonly BuiltInLossKind[] = [
  "crossEntropy",
  "importanceSampling",
  "ppo",
  "cispo",
  "dro",
];

/** Settings that apply where a recipe names none; `dro` has no default beta on purpose. */
export const defaultPpo: BuiltInLoss = { kind: "ppo", clipLow: 0.8, clipHigh: 1.2 };
export const defaultCispo: BuiltInLoss = { kind: "cispo", clipLow: 0, clipHigh: 4 };

/**
 * Named outputs of a forward pass, one array per datum.
 *
 * @shape `[B][T]`, T may differ per row
 * @unit nats for `logprobs` and `entropies`
 */
export interface LossOutputs {
  readonly logprobs: readonly Float64Array[];
  /** Present where the loss asked for them and the engine has the capability. */
  readonly entropies?: readonly Float64Array[];
  readonly values?: readonly Float64Array[];
}

export type LossOutputName = keyof LossOutputs;

export interface LossEvaluation {
  readonly value: number;
  /** d value / d output, the same shape as the output; outputs left out have gradient zero. */
  readonly gradients: { readonly [Name in LossOutputName]?: readonly Float64Array[] };
  /** Sums and means that the loss wants to see logged. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** A pure function over the whole batch, from per-token outputs to a value and its gradient. */
export interface CustomLoss {
  readonly name: string;
  /** Outputs besides `logprobs` that the loss reads; they need `one-pass-custom-loss`. */
  readonly reads?: readonly Exclude<LossOutputName, "logprobs">[];
  evaluate(outputs: LossOutputs, data: readonly Datum[]): LossEvaluation;
}
