/** The engine contract: types that engines implement and everything else is written against. */
export { capabilityMeanings, missingCapabilities, type Capability } from "./capabilities.ts";
export {
  canaryToleranceNats,
  checkCanary,
  scoringDatum,
  type CanaryOptions,
  type CanaryReport,
} from "./canary.ts";
export { architectureProblem } from "./check-architecture.ts";
export {
  checkChunks,
  checkData,
  checkDatum,
  checkLossSettings,
  checkTokenIds,
  type ModelSizes,
} from "./check-input.ts";
export { checkOptimizerParameters, checkSampleRequest } from "./check-request.ts";
export type {
  CreateModelOptions,
  Engine,
  EngineDescription,
  ForwardBackwardResult,
  ForwardResult,
  LoadOptions,
  Model,
  OptimStepResult,
  PublishOptions,
  SavedState,
} from "./engine.ts";
export {
  capabilityMissing,
  engineError,
  modelReleased,
  type EngineErrorCode,
  type EngineErrorDetails,
} from "./errors.ts";
export {
  countPositions,
  tokens,
  type Chunk,
  type Datum,
  type DatumConstant,
  type DatumOrigin,
  type ImageChunk,
  type TokenChunk,
  type TokenId,
} from "./inputs.ts";
export {
  builtInLossKinds,
  defaultCispo,
  defaultPpo,
  type BuiltInLoss,
  type BuiltInLossKind,
  type CustomLoss,
  type LossEvaluation,
  type LossOutputName,
  type LossOutputs,
} from "./losses.ts";
export { activationBytesOf, parameterCountOf } from "./model-size.ts";
export type { Architecture, ModelSource, TokenizerDefinition, Tuning } from "./models.ts";
export {
  optimizerDefaults,
  optimizerKinds,
  type OptimizerKind,
  type OptimizerParameters,
} from "./optimizers.ts";
export {
  samplingDefaults,
  type FinishReason,
  type SampledSequence,
  type SampleRequest,
  type SampleResponse,
  type SamplingParameters,
} from "./sampling.ts";
export type { PolicyVersion } from "./versions.ts";
export {
  clippingFactor,
  initialOptimizerState,
  l2Norm,
  referenceLoss,
  referenceOptimizerStep,
  referenceTerm,
  type OptimizerState,
  type ReferenceStep,
  type TokenInputs,
  type TokenTerm,
} from "./reference/index.ts";
