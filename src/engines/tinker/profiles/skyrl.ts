/** SkyRL's server with its training backends (FSDP2 and Megatron on Ray), as its source shows it. */
import type { Profile } from "../client/profile.ts";
import { wireCapabilities } from "./wire-capabilities.ts";

export const skyrl: Profile = {
  id: "skyrl",
  title: "SkyRL with a training backend (fsdp, megatron)",
  tried: "not tried: needs GPUs; written from skyrl 0.4.0",
  departures: [
    {
      what: "a pass waits for those of another loss before it is sent",
      reason: "requests that wait together are executed with the loss of the first",
    },
    {
      what: "clipping of gradients is refused; the server clips as it was started",
      reason: "grad_clip_norm is dropped without a word",
    },
    {
      what: "of Adam's settings the learning rate alone has an effect",
      reason: "beta1, beta2, eps and weight_decay are fixed when the optimizer is made",
    },
    {
      what: "dro takes two passes",
      reason: "the server has no dro",
    },
    {
      what: "clip thresholds are two numbers for all tokens",
      reason: "loss_fn_config takes numbers, and no thresholds per token",
    },
    {
      what: "policy losses are sent with weights of 1, and advantages carry what they were",
      reason: "missing weights mean all ones, and masks are treated differently by backend",
    },
    {
      what: "max_tokens is always sent",
      reason: "asample refuses a request without it",
    },
    {
      what: "a save whose answer was lost is repeated under another name",
      reason: "a name that exists is refused",
    },
    {
      what: "versions before a model's latest one are refused",
      reason: "sampling uses the weights that were saved last, whatever the path says",
    },
    {
      what: "loading a state makes a new model behind the same handle",
      reason: "load_weights is accepted as a model's first request alone",
    },
    {
      what: "an alpha other than 32 is refused",
      reason: "alpha is 32 whatever the rank",
    },
    {
      what: "stop strings and stop ids in one request are refused",
      reason: "stop is a list of one kind",
    },
    {
      what: "sampling that was cancelled goes on unseen",
      reason: "there is no cancel_future",
    },
    {
      what: "no place for OpenAI clients is given",
      reason: "the server has no such path",
    },
  ],
  capabilities: [...wireCapabilities, "several-models", "idempotent-submission"],
  losses: ["cross_entropy", "importance_sampling", "ppo", "cispo"],
  reduction: "sum",
  honoursWeights: false,
  mergesLosses: true,
  recognises: { passes: true, steps: true, saves: false },
  clipsGradients: false,
  honoursAdamSettings: false,
  loadsAnyTime: false,
  fixedLoraAlpha: 32,
  unloadsModels: true,
  versions: "latest",
  keepsGradientsOfReleased: false,
  decaysAllModels: false,
  deletesCheckpoints: true,
  writesExports: false,
  emptyStopMeansNone: false,
  mixesStops: false,
  cancelsRequests: false,
  hasOpenAiPath: false,
  takesProtobuf: true,
};
