/**
 * How an episode is written down while it is played, and what is found of it when its step is tried
 * again. Rollouts write, a store keeps; neither knows the other, this is what they share.
 */
import type { Annotation, EpisodeEnd, EpisodeStart } from "./episodes.ts";
import type { Call, Turn } from "./turns.ts";

/** A turn with what its ask was and how far into the episode it came; both are needed to go on. */
export interface RecordedTurn {
  readonly turn: Turn;
  /** Digest of what the game asked. */
  readonly ask: string;
  readonly elapsedMs: number;
}

export interface RecordedCall {
  readonly call: Call;
  readonly elapsedMs: number;
}

/** An ask or call that the time limit of the episode turned down. */
export interface RecordedRefusal {
  readonly sequence: number;
  readonly elapsedMs: number;
}

export interface RecordedEpisode {
  readonly start: EpisodeStart;
  /** Null where the episode was interrupted. */
  readonly end: EpisodeEnd | null;
  readonly turns: readonly RecordedTurn[];
  readonly calls: readonly RecordedCall[];
  readonly refusals: readonly RecordedRefusal[];
}

export interface EpisodeRecorder {
  /** True where nothing is written down: what only a record needs is then not made. */
  readonly keepsNothing?: true;
  /** The record of an episode from an earlier try of this step, which can then be gone on with. */
  find(episodeId: string): RecordedEpisode | null;
  start(start: EpisodeStart): void;
  /** The replies to one ask: all of its siblings. */
  turns(turns: readonly Turn[], ask: string, elapsedMs: number): void;
  call(call: Call, elapsedMs: number): void;
  refuse(episodeId: string, sequence: number, elapsedMs: number): void;
  /** Resolves when the episode, end included, is on the disk. */
  end(episodeId: string, end: EpisodeEnd): Promise<void>;
  /** Says that records no longer count, such as those of other weights. */
  setAside(episodeIds: readonly string[]): void;
  /** Appends a verdict, reward or value; kept when the step commits. */
  annotate(annotation: Annotation): void;
}
