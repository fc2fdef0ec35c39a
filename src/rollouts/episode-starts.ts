/** How each episode of a play begins, and whether an earlier try of it began the same. */
import { canonicalJson, parseJson, type JsonValue, type Random } from "../base/index.ts";
import {
  episodeIdsOf,
  type EpisodeLimits,
  type EpisodeRecorder,
  type EpisodeStart,
  type PlayerReference,
  type RecordedEpisode,
} from "../records/index.ts";
import type { EpisodeTask, PlayEpisodesOptions, Seats } from "./play-options.ts";

export class EpisodeStarts<Task extends JsonValue, Outcome extends JsonValue> {
  readonly #options: PlayEpisodesOptions<Task, Outcome>;
  readonly #ids: string;
  readonly #limits: EpisodeLimits;
  readonly #seeds: Random;
  #last: { readonly seats: Seats; readonly references: EpisodeStart["seats"] } | null = null;

  constructor(options: PlayEpisodesOptions<Task, Outcome>) {
    this.#options = options;
    const name = options.name ?? "episodes";
    this.#ids = episodeIdsOf(options.step.name, name);
    this.#limits = { ...options.game.limits, ...options.limits };
    this.#seeds = options.step.random.split("episode", name);
  }

  idOf(index: number): string {
    return `${this.#ids}${index}`;
  }

  of(task: EpisodeTask<Task>, index: number, seats: Seats): EpisodeStart {
    return {
      id: this.idOf(index),
      game: this.#options.game.id,
      taskId: task.id,
      task: task.task,
      groupId: task.groupId ?? task.id,
      stepName: this.#options.step.name,
      seed: this.#seeds.split(index).seed(),
      seats: this.#referencesOf(seats),
      limits: this.#limits,
    };
  }

  /** Seats are mostly the same from one episode to the next. */
  #referencesOf(seats: Seats): Readonly<Record<string, PlayerReference>> {
    if (this.#last?.seats !== seats) {
      const references = Object.entries(seats).map(([seat, player]) => [seat, player.reference] as const);
      this.#last = { seats, references: Object.fromEntries(references) };
    }
    return this.#last.references;
  }
}

/** The record of an earlier try, where it began as this one would; another one no longer counts. */
export function earlierTry(recorder: EpisodeRecorder, start: EpisodeStart): RecordedEpisode | null {
  const recorded = recorder.find(start.id);
  if (recorded === null) return null;
  if (comparable(recorded.start) === comparable(start)) return recorded;
  recorder.setAside([start.id]);
  return null;
}

function comparable(start: EpisodeStart): string {
  return canonicalJson(parseJson(JSON.stringify(start)));
}
