/** What a play of many episodes is made from, and what comes of it. */
import type { Clock, JsonValue, Random } from "../base/index.ts";
import type { ImageChunk } from "../contract/index.ts";
import type { Game } from "../games/index.ts";
import type { Player } from "../players/index.ts";
import type {
  Call,
  EpisodeEnd,
  EpisodeLimits,
  EpisodeRecorder,
  EpisodeStart,
  Turn,
} from "../records/index.ts";
import type { Service } from "./table-options.ts";

/** What rollouts need of the step that plays; a `Step` of `spar/train` is one. */
export interface RolloutStep {
  readonly name: string;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly recorder: EpisodeRecorder;
  progress(options: { readonly what: string; readonly total: number; readonly unit: string }): {
    advance(count?: number): void;
    end(): void;
  };
}

export interface EpisodeTask<Task extends JsonValue> {
  readonly id: string;
  readonly task: Task;
  /** Episodes that share what a baseline is taken over. Default: the id of the task. */
  readonly groupId?: string;
}

export type Seats = Readonly<Record<string, Player>>;

export interface PlayEpisodesOptions<Task extends JsonValue, Outcome extends JsonValue> {
  readonly step: RolloutStep;
  readonly game: Game<Task, Outcome>;
  readonly tasks: readonly EpisodeTask<Task>[];
  /** Who sits where, the same in every episode or by task. */
  readonly seats: Seats | ((task: EpisodeTask<Task>, index: number) => Seats);
  /** Tells plays of one step apart, and is part of the ids of episodes. Default `episodes`. */
  readonly name?: string;
  readonly services?: Readonly<Record<string, Service>>;
  /** Over the limits that the game declares. */
  readonly limits?: Partial<EpisodeLimits>;
  /** Episodes under way at once. Default 1024. */
  readonly concurrency?: number;
  /** Default 5 minutes. */
  readonly replyTimeoutMs?: number;
  /** Default 5 minutes. */
  readonly callTimeoutMs?: number;
  /** The share of episodes that may fail before the whole play does. Default 0.1. */
  readonly maximumFailedShare?: number;
  readonly images?: (imageDigest: string) => ImageChunk;
  /**
   * What people read while it goes on. Default "playing <game>"; null shows nothing, for a play that is a
   * part of something with a progress of its own.
   */
  readonly what?: string | null;
}

export interface PlayedEpisode<Outcome extends JsonValue = JsonValue> {
  readonly start: EpisodeStart;
  readonly end: EpisodeEnd;
  /** What the game returned, null where the episode failed. */
  readonly outcome: Outcome | null;
  /** In the order of the game. */
  readonly turns: readonly Turn[];
  readonly calls: readonly Call[];
}
