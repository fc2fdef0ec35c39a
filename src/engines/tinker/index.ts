/**
 * The client of the Tinker wire, usable without the rest of spar: sessions, models, samplers, checkpoints, and the
 * engine on top of them. Start with `connect`.
 */
export { connect, type Connection } from "./client/connection.ts";
export type { ConnectOptions } from "./client/connect-options.ts";
export {
  Checkpoints,
  parsePath,
  type Checkpoint,
  type DownloadOptions,
  type SavedStateFacts,
} from "./client/checkpoints.ts";
export type { NewModelOptions } from "./client/new-model.ts";
export { openAiPlace, type OpenAiPlace } from "./client/openai-place.ts";
export type { Departure, Profile, ProfileId } from "./client/profile.ts";
export { Samplers, type SampleSource, type WireSampleRequest } from "./client/samplers.ts";
export type { SaveOptions } from "./client/save-names.ts";
export type { Pass, Submitted } from "./client/submissions.ts";
export { createTrainingModel, type StepSettings, type TrainingModel } from "./client/training-model.ts";
export { createEngine, type TinkerEngineOptions, type TinkerExecutor } from "./engine.ts";
export type { TinkerErrorCode } from "./errors.ts";
export { profiles } from "./profiles/detect.ts";
export { defaultBackoff, type BackoffPolicy } from "./transport/backoff.ts";
export type { QueueReport, QueueState } from "./transport/futures.ts";
export type {
  ModelInfo,
  SavedAnswer,
  ServerCapabilities,
  ServerFacts,
  SupportedModel,
} from "./wire/answers.ts";
export type { PassOutput, SampleOutput, WireChunk, WireRow, WireSequence } from "./wire/data.ts";
