/** Records of episodes in memory, as a run folder keeps them, and a step to play in: for tests of games. */
import { createRandom, present, systemClock, type Clock } from "../../base/index.ts";
import type {
  Annotation,
  EpisodeEnd,
  EpisodeRecorder,
  EpisodeStart,
  RecordedCall,
  RecordedEpisode,
  RecordedRefusal,
  RecordedTurn,
  Turn,
} from "../../records/index.ts";
import { unrecordedStep, type RolloutStep } from "../../rollouts/index.ts";

export interface RememberedEpisode {
  readonly start: EpisodeStart;
  end: EpisodeEnd | null;
  readonly turns: RecordedTurn[];
  readonly calls: RecordedCall[];
  readonly refusals: RecordedRefusal[];
}

export class EpisodeMemory implements EpisodeRecorder {
  /** By id; of those that are set aside nothing is left. */
  readonly episodes: Map<string, RememberedEpisode> = new Map();

  /** A memory of interrupted episodes: without their ends, and with what the first few asks and calls brought. */
  cutAfter(recordCount: number): EpisodeMemory {
    const cut = new EpisodeMemory();
    for (const [id, { start, turns, calls }] of this.episodes) {
      const isKept = (sequence: number): boolean => sequence < recordCount;
      cut.episodes.set(id, {
        start,
        end: null,
        turns: structuredClone(turns.filter(({ turn }) => isKept(turn.sequence))),
        calls: structuredClone(calls.filter(({ call }) => isKept(call.sequence))),
        refusals: [],
      });
    }
    return cut;
  }

  /** Replies and calls that are kept. */
  get recordCount(): number {
    return [...this.episodes.values()].reduce(
      (sum, { turns, calls }) => sum + turns.length + calls.length,
      0,
    );
  }

  find(episodeId: string): RecordedEpisode | null {
    return this.episodes.get(episodeId) ?? null;
  }

  start(start: EpisodeStart): void {
    this.episodes.set(start.id, { start, end: null, turns: [], calls: [], refusals: [] });
  }

  turns(turns: readonly Turn[], ask: string, elapsedMs: number): void {
    for (const turn of turns) this.#of(turn.episodeId).turns.push({ turn, ask, elapsedMs });
  }

  call(call: RecordedCall["call"], elapsedMs: number): void {
    this.#of(call.episodeId).calls.push({ call, elapsedMs });
  }

  refuse(episodeId: string, sequence: number, elapsedMs: number): void {
    this.#of(episodeId).refusals.push({ sequence, elapsedMs });
  }

  async end(episodeId: string, end: EpisodeEnd): Promise<void> {
    this.#of(episodeId).end = end;
  }

  setAside(episodeIds: readonly string[]): void {
    for (const id of episodeIds) this.episodes.delete(id);
  }

  annotate(_annotation: Annotation): void {
    throw new Error("expected games to leave annotations to recipes");
  }

  #of(episodeId: string): RememberedEpisode {
    return present(this.episodes.get(episodeId), `episode ${episodeId}`);
  }
}

/** A step outside of any run. */
export function stepOutsideRuns(options: {
  readonly seed: number;
  readonly recorder: EpisodeRecorder;
  readonly clock?: Clock;
}): RolloutStep {
  const { seed, recorder, clock = systemClock } = options;
  const signal = new AbortController().signal;
  return { ...unrecordedStep({ random: createRandom(seed), signal, clock }), recorder };
}
