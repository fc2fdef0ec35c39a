/** The hosted service of Thinking Machines, as the official SDK shows it. Not tried. */
import type { Profile } from "../client/profile.ts";
import { wireCapabilities } from "./wire-capabilities.ts";

export const hosted: Profile = {
  id: "hosted",
  title: "the hosted Tinker service",
  tried: "not tried: written from the official SDK 0.24.1 and 0.38.0",
  departures: [
    {
      what: "policy losses are sent without weights; advantages carry them, and a loss whose weights advantages cannot carry takes two passes",
      reason: "importance_sampling, ppo, cispo and dro take no weights",
    },
    {
      what: "stop strings and stop ids in one request are refused",
      reason: "stop is a list of one kind",
    },
    {
      what: "loading a state makes a new model behind the same handle",
      reason: "load_weights is a model's first request",
    },
    {
      what: "an alpha other than 32 is refused",
      reason: "lora_config has a rank and no alpha",
    },
    {
      what: "a released model stays on the server until the session ends",
      reason: "the SDK has no call that unloads one",
    },
  ],
  capabilities: [...wireCapabilities, "several-models", "idempotent-submission"],
  losses: ["cross_entropy", "importance_sampling", "ppo", "cispo", "dro"],
  reduction: "sum",
  honoursWeights: false,
  mergesLosses: false,
  recognises: { passes: true, steps: true, saves: true },
  clipsGradients: true,
  honoursAdamSettings: true,
  loadsAnyTime: false,
  fixedLoraAlpha: 32,
  unloadsModels: false,
  versions: "kept",
  keepsGradientsOfReleased: false,
  decaysAllModels: false,
  deletesCheckpoints: true,
  writesExports: false,
  emptyStopMeansNone: true,
  mixesStops: false,
  cancelsRequests: true,
  hasOpenAiPath: true,
  takesProtobuf: true,
};
