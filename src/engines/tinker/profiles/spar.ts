/** Servers of ours. What one can do it says itself; this is what all of them do. */
import type { Profile } from "../client/profile.ts";
import { wireCapabilities } from "./wire-capabilities.ts";

export const spar: Profile = {
  id: "spar",
  title: "a server of spar",
  tried:
    "conformance suite and faults against the double of the tests; conformance suite and twenty steps of each loss beside the embedded engine against the PyTorch worker",
  departures: [],
  capabilities: [...wireCapabilities, "several-models", "idempotent-submission"],
  losses: ["cross_entropy", "importance_sampling", "ppo", "cispo", "dro"],
  reduction: "sum",
  honoursWeights: true,
  mergesLosses: false,
  recognises: { passes: true, steps: true, saves: true },
  clipsGradients: true,
  honoursAdamSettings: true,
  loadsAnyTime: true,
  fixedLoraAlpha: null,
  unloadsModels: true,
  versions: "kept",
  keepsGradientsOfReleased: false,
  decaysAllModels: false,
  deletesCheckpoints: true,
  writesExports: true,
  emptyStopMeansNone: true,
  mixesStops: true,
  cancelsRequests: true,
  hasOpenAiPath: true,
  takesProtobuf: true,
};
