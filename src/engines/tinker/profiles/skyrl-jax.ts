/** SkyRL's server with its JAX backend, which runs on CPUs too. Differs from the others in what a gradient is. */
import type { Profile } from "../client/profile.ts";
import { skyrl } from "./skyrl.ts";

const ofTrainingBackends = new Set([
  "a pass waits for those of another loss before it is sent",
  "of Adam's settings the learning rate alone has an effect",
  "policy losses are sent with weights of 1, and advantages carry what they were",
  "versions before a model's latest one are refused",
]);

export const skyrlJax: Profile = {
  ...skyrl,
  id: "skyrl-jax",
  title: "SkyRL with its JAX backend",
  tried:
    "skyrl 0.4.0 on a CPU, the first half of the conformance suite: losses, batches, order of calls, custom losses, AdamW, sampled log-probabilities; the rest against the double of the tests",
  departures: [
    {
      what: "every loss is sent with weights of 1 and advantages that carry weight, length of the row and number of rows; crossEntropy goes as cispo clipped to 1",
      reason:
        "each row is divided by the sum of its weights and the gradient by the number of rows, and sums that are not positive blow up",
    },
    {
      what: "with several passes per step their proportions are kept, and epsilon is divided by the factor that is too much",
      reason: "the number of rows is known only when the step is taken",
    },
    {
      what: "a published version is a model of its own, which is never trained and takes one of the server's adapters until it is released",
      reason: "sampling loads weights into the model that is trained, or takes those that it has by then",
    },
    {
      what: "a model is made, takes a step of length zero and is unloaded before the one that was asked for takes its place",
      reason: "gradients that a released model leaves go into the first step of the next one",
    },
    {
      what: "decay of weights is refused",
      reason: "it shrinks the adapters of all models, published versions among them",
    },
    ...skyrl.departures.filter(({ what }) => !ofTrainingBackends.has(what)),
  ],
  reduction: "row-mean",
  mergesLosses: false,
  honoursAdamSettings: true,
  versions: "copies",
  keepsGradientsOfReleased: true,
  decaysAllModels: true,
};
