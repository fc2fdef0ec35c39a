/** What the table of one episode is made from. */
import type { CallOptions, Clock, Deadlines, JsonValue } from "../base/index.ts";
import type { ImageChunk } from "../contract/index.ts";
import type { Player } from "../players/index.ts";
import type { EpisodeRecorder, EpisodeStart, RecordedEpisode } from "../records/index.ts";
import type { Breath } from "./breath.ts";
import type { Steps } from "./steps.ts";

/** A service as a game uses it; the signal tells it when nobody waits any more. */
export type Service = (input: JsonValue, call: CallOptions) => Promise<JsonValue>;

export interface EpisodeTableOptions {
  readonly start: EpisodeStart;
  readonly seats: Readonly<Record<string, Player>>;
  readonly services: Readonly<Record<string, Service>>;
  readonly recorder: EpisodeRecorder;
  /** What an earlier try of this episode left. */
  readonly recorded: RecordedEpisode | null;
  readonly clock: Clock;
  /** Of all episodes of a play; its signal ends their waits. */
  readonly deadlines: Deadlines;
  readonly breath: Breath;
  readonly steps: Steps;
  /** The longest that a player may take for a reply. */
  readonly replyTimeoutMs: number;
  /** The longest that a service may take for a call. */
  readonly callTimeoutMs: number;
  readonly images?: (imageDigest: string) => ImageChunk;
}
