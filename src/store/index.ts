/** The run folder: what a run is, did and made, on disk. */
export type { Checkpoint, CheckpointFile } from "./checkpoints.ts";
export { episodeBytes, groupCommitMs, turnBytes } from "./episode-journal.ts";
export { makeFolder } from "./make-folder.ts";
export { isRunFolder, readManifest, type RunManifest } from "./manifest.ts";
export type { RunEventRecord } from "./run-events.ts";
export { nextRunFolder, runPaths, type RunPaths } from "./run-paths.ts";
export {
  listRuns,
  openRunReader,
  type EpisodeSummary,
  type RunListing,
  RunReader,
  type RunStatus,
} from "./run-reader.ts";
export { RunStore } from "./run-store.ts";
export type { StepAttachments, StepCommit, StepKind, StoredReport, StoredStep } from "./step-log.ts";
export { storeError, toStoreError, type StoreErrorCode } from "./store-errors.ts";
