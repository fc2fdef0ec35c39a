/** verl's server of the wire. Neither read nor tried: it gets the narrowest use of the wire that all servers share. */
import type { Profile } from "../client/profile.ts";
import { wireCapabilities } from "./wire-capabilities.ts";

export const verl: Profile = {
  id: "verl",
  title: "verl",
  tried: "not tried, and its source not read: assumes the least",
  departures: [
    {
      what: "a call whose answer is lost is not repeated, and the model takes no more until a state is loaded",
      reason: "whether repeated submissions are recognised is not known",
    },
    {
      what: "policy losses take two passes, or advantages carry their weights",
      reason: "whether they take weights is not known",
    },
    {
      what: "a pass waits for those of another loss before it is sent",
      reason: "whether waiting passes are merged is not known",
    },
    {
      what: "clipping of gradients is refused",
      reason: "whether it is applied is not known",
    },
    {
      what: "loading a state makes a new model behind the same handle",
      reason: "whether a state can be loaded later is not known",
    },
    {
      what: "an alpha other than 32 is refused",
      reason: "lora_config has a rank and no alpha",
    },
    {
      what: "no place for OpenAI clients is given",
      reason: "whether the server has such a path is not known",
    },
  ],
  capabilities: wireCapabilities,
  losses: ["cross_entropy", "importance_sampling", "ppo"],
  reduction: "sum",
  honoursWeights: false,
  mergesLosses: true,
  recognises: { passes: false, steps: false, saves: false },
  clipsGradients: false,
  honoursAdamSettings: true,
  loadsAnyTime: false,
  fixedLoraAlpha: 32,
  unloadsModels: false,
  versions: "kept",
  keepsGradientsOfReleased: false,
  decaysAllModels: false,
  deletesCheckpoints: false,
  writesExports: false,
  emptyStopMeansNone: false,
  mixesStops: false,
  cancelsRequests: false,
  hasOpenAiPath: false,
  takesProtobuf: true,
};
