/** Settings of one optimizer step. State (moments, step count) belongs to the model on the engine. */

export type OptimizerKind = "adam" | "adamw" | "rmsprop" | "sgd";

interface OptimizerCommon {
  readonly learningRate: number;
  /** Gradients are scaled down to this global L2 norm; left out or 0 means no clipping. */
  readonly clipGradientNorm?: number;
}

/**
 * Meanings are those of PyTorch: `adam` adds weight decay to the gradient, `adamw` decays the
 * weights directly, `rmsprop` is uncentred with `alpha` as smoothing.
 */
export type OptimizerParameters =
  | (OptimizerCommon & AdamParameters & { readonly kind: "adam" | "adamw" })
  | (OptimizerCommon & {
      readonly kind: "rmsprop";
      readonly alpha?: number;
      readonly epsilon?: number;
      readonly weightDecay?: number;
      readonly momentum?: number;
    })
  | (OptimizerCommon & { readonly kind: "sgd"; readonly weightDecay?: number; readonly momentum?: number });

interface AdamParameters {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

/** What a setting that was left out means, the same on every engine. */
export const optimizerDefaults = {
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  adamw: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
  rmsprop: { alpha: 0.99, epsilon: 1e-8, weightDecay: 0, momentum: 0 },
  sgd: { weightDecay: 0, momentum: 0 },
} as const;

export const optimizerKinds: readonly OptimizerKind[] = ["adam", "adamw", "rmsprop", "sgd"];
