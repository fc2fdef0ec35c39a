/**
 * What a kind of server does differently, as data: the client asks a profile, never for a server by name. One file
 * per profile in `profiles/`; each departure from the wire or from the engine contract is a line with its reason.
 */
import type { Capability } from "../../../contract/index.ts";

export type ProfileId = "hosted" | "skyrl" | "skyrl-jax" | "verl" | "spar";

export interface Departure {
  /** What the client does. */
  readonly what: string;
  /** Why: what the server does. */
  readonly reason: string;
}

export interface Profile {
  readonly id: ProfileId;
  readonly title: string;
  /** What this profile was tried against, or that it was not. */
  readonly tried: string;
  readonly departures: readonly Departure[];
  readonly capabilities: readonly Capability[];
  /** Losses by their names on the wire; others are carried out in two passes. */
  readonly losses: readonly string[];
  /**
   * `sum`: gradients are those of the sum over tokens. `row-mean`: each row is divided by the sum of its weights, and
   * the whole by the number of rows since the last step.
   */
  readonly reduction: "sum" | "row-mean";
  /** Whether all losses honour `weights`. */
  readonly honoursWeights: boolean;
  /** Whether passes of different losses that wait together are executed as one, with the loss of the first. */
  readonly mergesLosses: boolean;
  /** Requests that are recognised when they come again with the same number. */
  readonly recognises: { readonly passes: boolean; readonly steps: boolean; readonly saves: boolean };
  readonly clipsGradients: boolean;
  /** Whether settings of Adam besides the learning rate are applied. */
  readonly honoursAdamSettings: boolean;
  /** Whether a state can be loaded into a model that has worked; elsewhere a new one takes its place. */
  readonly loadsAnyTime: boolean;
  /** The alpha of all adapters, null where it can be chosen. */
  readonly fixedLoraAlpha: number | null;
  readonly unloadsModels: boolean;
  /**
   * What becomes of weights to sample from when there are later ones of their model. `kept`: they stay what they are.
   * `latest`: later ones take their place. `copies`: sampling uses the model that is trained, so that each version must
   * be a model of its own.
   */
  readonly versions: "kept" | "latest" | "copies";
  /** Whether a new model may begin with the gradients of one that was released. */
  readonly keepsGradientsOfReleased: boolean;
  /** Whether decay of weights shrinks those of all models. */
  readonly decaysAllModels: boolean;
  readonly deletesCheckpoints: boolean;
  /** Whether a model can be written in the hub's formats, into a folder of the server's machine. */
  readonly writesExports: boolean;
  /** Whether an empty list of stops means that not even the end token ends a reply. */
  readonly emptyStopMeansNone: boolean;
  /** Whether one request may have stop strings and stop ids. */
  readonly mixesStops: boolean;
  readonly cancelsRequests: boolean;
  /** Whether OpenAI clients find its models under `oai/api/v1`. */
  readonly hasOpenAiPath: boolean;
  /** Whether bodies of passes are protobuf. */
  readonly takesProtobuf: boolean;
}
