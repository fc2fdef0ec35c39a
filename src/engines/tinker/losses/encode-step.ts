/** An optimizer step in the words of the wire. Settings that were left out are sent as the contract's defaults. */
import { engineError, optimizerDefaults, type OptimizerParameters } from "../../../contract/index.ts";
import type { Profile } from "../client/profile.ts";
import type { StepSettings } from "../client/training-model.ts";

/**
 * `epsilonFactor`: what the gradient is too large or small by on the server; Adam's step is the same when epsilon is
 * multiplied by it too.
 *
 * @throws `invalid-input` for clipping that the server would drop, and decay that would reach other models
 */
export function encodeStep(
  parameters: OptimizerParameters,
  profile: Pick<Profile, "id" | "clipsGradients" | "decaysAllModels">,
  epsilonFactor: number,
): StepSettings {
  const clip = parameters.clipGradientNorm ?? 0;
  if (clip > 0 && !profile.clipsGradients) {
    throw engineError(
      "invalid-input",
      `expected no clipping on a server of profile ${profile.id}, got ${clip}`,
      {
        hint: "the server drops it without a word: set clipGradientNorm to 0, and clip where the server is started",
      },
    );
  }
  const decay = parameters.weightDecay ?? optimizerDefaults[parameters.kind].weightDecay;
  if (decay > 0 && profile.decaysAllModels) {
    throw engineError(
      "invalid-input",
      `expected no decay of weights on a server of profile ${profile.id}, got ${decay}`,
      { hint: "the server would shrink those of all its models, published ones too: set weightDecay to 0" },
    );
  }
  const common = { learning_rate: parameters.learningRate, grad_clip_norm: clip };
  switch (parameters.kind) {
    case "adamw":
    case "adam": {
      const usual = optimizerDefaults[parameters.kind];
      const epsilon = (parameters.epsilon ?? usual.epsilon) * epsilonFactor;
      const value = {
        ...common,
        beta1: parameters.beta1 ?? usual.beta1,
        beta2: parameters.beta2 ?? usual.beta2,
        weight_decay: parameters.weightDecay ?? usual.weightDecay,
      };
      return parameters.kind === "adamw"
        ? { key: "adam_params", value: { ...value, eps: epsilon } }
        : { key: "optimizer_params", value: { type: "adam", ...value, epsilon } };
    }
    case "rmsprop": {
      const usual = optimizerDefaults.rmsprop;
      const value = {
        type: "rmsprop",
        ...common,
        alpha: parameters.alpha ?? usual.alpha,
        epsilon: parameters.epsilon ?? usual.epsilon,
        weight_decay: parameters.weightDecay ?? usual.weightDecay,
        momentum: parameters.momentum ?? usual.momentum,
      };
      return { key: "optimizer_params", value };
    }
    case "sgd": {
      const usual = optimizerDefaults.sgd;
      const value = {
        type: "sgd",
        ...common,
        weight_decay: parameters.weightDecay ?? usual.weightDecay,
        momentum: parameters.momentum ?? usual.momentum,
      };
      return { key: "optimizer_params", value };
    }
  }
}
