/**
 * Plays many episodes at once and gives them back in the order of their tasks. What an interrupted
 * try of the same step left is taken from the record: finished episodes whole, unfinished ones go on
 * where they were. Failures stay with their episode; the others go on. Knows no method.
 */
import {
  canonicalJson,
  isSparError,
  mapBounded,
  parseJson,
  type Clock,
  type JsonValue,
  type Random,
} from "../base/index.ts";
import type { ImageChunk } from "../contract/index.ts";
import type { Game } from "../games/index.ts";
import type { Player } from "../players/index.ts";
import {
  episodeIdOf,
  type Call,
  type EpisodeEnd,
  type EpisodeLimits,
  type EpisodeRecorder,
  type EpisodeStart,
  type RecordedEpisode,
  type Turn,
} from "../records/index.ts";
import { Cancellation } from "./cancellation.ts";
import { playEpisode } from "./play-episode.ts";
import { tooManyFailures } from "./rollout-errors.ts";
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
  /** What people read while it goes on. Default "playing <game>". */
  readonly what?: string;
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

/**
 * Plays one episode per task.
 *
 * @throws `too-many-failures` where more than `maximumFailedShare` failed; what ends the whole run,
 * such as `aborted` or `engine-closed`, leaving unfinished episodes for the resume
 */
export async function playEpisodes<Task extends JsonValue, Outcome extends JsonValue>(
  options: PlayEpisodesOptions<Task, Outcome>,
): Promise<PlayedEpisode<Outcome>[]> {
  const { step, game, tasks } = options;
  const cancellation = new Cancellation(step.signal);
  const progress = step.progress({
    what: options.what ?? `playing ${game.id}`,
    total: tasks.length,
    unit: "episodes",
  });
  try {
    const played = await mapBounded(tasks, options.concurrency ?? 1024, async (task, index) => {
      try {
        const episode = await cancellation.run((signal) => playTask(options, { task, index, signal }));
        progress.advance();
        return episode;
      } catch (thrown) {
        if (isSparError(thrown) && thrown.code === "departed-from-record") {
          step.recorder.setAside([episodeIdOf(step.name, options.name ?? "episodes", index)]);
        }
        // Nobody will want the others either: they stop now, and are gone on with after a resume.
        cancellation.stop(thrown);
        throw thrown;
      }
    });
    checkFailures(options, played);
    return played;
  } finally {
    cancellation.close();
    progress.end();
  }
}

async function playTask<Task extends JsonValue, Outcome extends JsonValue>(
  options: PlayEpisodesOptions<Task, Outcome>,
  place: { readonly task: EpisodeTask<Task>; readonly index: number; readonly signal: AbortSignal },
): Promise<PlayedEpisode<Outcome>> {
  const { step, game } = options;
  const { task, index, signal } = place;
  const seats = typeof options.seats === "function" ? options.seats(task, index) : options.seats;
  const start = startOf(options, { task, index, seats });
  const recorded = earlierTry(step.recorder, start);
  if (recorded !== null && recorded.end !== null) return fromRecord(recorded, recorded.end);
  if (recorded === null) step.recorder.start(start);
  const { images } = options;
  const { end, turns, calls } = await playEpisode(game, task.task, {
    start,
    seats,
    services: options.services ?? {},
    recorder: step.recorder,
    recorded,
    clock: step.clock,
    signal,
    replyTimeoutMs: options.replyTimeoutMs ?? defaultTimeoutMs,
    callTimeoutMs: options.callTimeoutMs ?? defaultTimeoutMs,
    ...(images === undefined ? {} : { images }),
  });
  await step.recorder.end(start.id, end);
  return { start, end, outcome: outcomeOf<Outcome>(end), turns, calls };
}

const defaultTimeoutMs = 300_000;

function startOf<Task extends JsonValue, Outcome extends JsonValue>(
  options: PlayEpisodesOptions<Task, Outcome>,
  place: { readonly task: EpisodeTask<Task>; readonly index: number; readonly seats: Seats },
): EpisodeStart {
  const { step, game, limits } = options;
  const { task, index, seats } = place;
  const name = options.name ?? "episodes";
  return {
    id: episodeIdOf(step.name, name, index),
    game: game.id,
    taskId: task.id,
    task: task.task,
    groupId: task.groupId ?? task.id,
    stepName: step.name,
    seed: step.random.split("episode", name, index).seed(),
    seats: Object.fromEntries(Object.entries(seats).map(([seat, player]) => [seat, player.reference])),
    limits: { ...game.limits, ...limits },
  };
}

/** The record of an earlier try, where it began as this one would; another one no longer counts. */
function earlierTry(recorder: EpisodeRecorder, start: EpisodeStart): RecordedEpisode | null {
  const recorded = recorder.find(start.id);
  if (recorded === null) return null;
  if (comparable(recorded.start) === comparable(start)) return recorded;
  recorder.setAside([start.id]);
  return null;
}

function comparable(start: EpisodeStart): string {
  return canonicalJson(parseJson(JSON.stringify(start)));
}

function fromRecord<Outcome extends JsonValue>(
  recorded: RecordedEpisode,
  end: EpisodeEnd,
): PlayedEpisode<Outcome> {
  return {
    start: recorded.start,
    end,
    outcome: outcomeOf<Outcome>(end),
    turns: recorded.turns.map(({ turn }) => turn),
    calls: recorded.calls.map(({ call }) => call),
  };
}

function outcomeOf<Outcome extends JsonValue>(end: EpisodeEnd): Outcome | null {
  // What this game returned for this task, now or before the run was interrupted.
  return end.kind === "finished" ? (end.outcome as Outcome) : null;
}

function checkFailures(
  options: { readonly step: RolloutStep; readonly maximumFailedShare?: number },
  played: readonly PlayedEpisode[],
): void {
  const failed = played.filter(({ end }) => end.kind === "failed");
  if (failed.length <= (options.maximumFailedShare ?? 0.1) * played.length) return;
  // A resumed run shall try them again.
  options.step.recorder.setAside(failed.map(({ start }) => start.id));
  throw tooManyFailures(
    failed.map(({ end }) => end),
    played.length,
  );
}
