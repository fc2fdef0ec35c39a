/** The vocabulary of everything that is stored: defined once, before anything is built on it. */
export type {
  Annotation,
  AnnotationTarget,
  EpisodeEnd,
  EpisodeLimits,
  EpisodeStart,
  Execution,
  Verdict,
} from "./episodes.ts";
export { callIdOf, compareEpisodeIds, episodeIdOf, episodeIdsOf, turnIdOf } from "./ids.ts";
export { isMetricName, type Metric } from "./metrics.ts";
export type {
  EpisodeRecorder,
  RecordedCall,
  RecordedEpisode,
  RecordedRefusal,
  RecordedTurn,
} from "./recorder.ts";
export { recordsVersion } from "./schema.ts";
export type { Call, Failure, PlayerReference, Span, Turn, TurnSampling } from "./turns.ts";
