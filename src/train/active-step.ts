/** The step that is running: what its body may use, and what it has done so far. Forgotten if it fails. */
import type { Clock, Random } from "../base/index.ts";
import {
  isMetricName,
  type Annotation,
  type EpisodeRecorder,
  type Metric,
  type Turn,
} from "../records/index.ts";
import type { Checkpoint, RunStore } from "../store/index.ts";
import { tell, type RunObserver } from "./observer.ts";
import type { Progress, ProgressOptions, Step } from "./run.ts";
import type { StoredVersion } from "./step-effects.ts";
import { trainError } from "./train-errors.ts";

export interface ActiveStepOptions {
  readonly name: string;
  readonly models: ReadonlySet<string>;
  readonly states: ReadonlySet<string>;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly store: RunStore;
  readonly observer: RunObserver | undefined;
}

export class ActiveStep implements Step {
  readonly name: string;
  readonly models: ReadonlySet<string>;
  readonly states: ReadonlySet<string>;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly recorder: EpisodeRecorder;
  readonly metrics: Metric[] = [];
  readonly annotations: Annotation[] = [];
  readonly checkpoints: Checkpoint[] = [];
  readonly versions: StoredVersion[] = [];
  readonly droppedVersions: string[] = [];
  readonly released: string[] = [];
  readonly changedStates: Set<string> = new Set();
  readonly #store: RunStore;
  readonly #observer: RunObserver | undefined;
  /** Whether an earlier try of this step left episodes; null until somebody asks. */
  #hasEarlier: boolean | null = null;
  /** Where it did: those that this try began or went on with. */
  readonly #ownEpisodes = new Set<string>();
  #progressCount = 0;

  constructor(options: ActiveStepOptions) {
    this.name = options.name;
    this.models = options.models;
    this.states = options.states;
    this.random = options.random;
    this.signal = options.signal;
    this.clock = options.clock;
    this.#store = options.store;
    this.#observer = options.observer;
    this.recorder = this.#recorderOf(options.store);
  }

  metric(name: string, index: number, value: number): void {
    if (!isMetricName(name)) {
      throw trainError(
        "invalid-name",
        `expected a metric name like area/quantity or area/quantity/statistic, got "${name}"`,
      );
    }
    this.metrics.push({ stepName: this.name, index, name, value });
  }

  progress(options: ProgressOptions): Progress {
    const progressId = this.#progressCount++;
    let done = 0;
    tell(this.#observer, { kind: "progress-start", progressId, stepName: this.name, ...options });
    return {
      advance: (count = 1) => {
        done += count;
        tell(this.#observer, { kind: "progress-advance", progressId, done });
      },
      end: () => tell(this.#observer, { kind: "progress-end", progressId }),
    };
  }

  turns(stepName: string = this.name): readonly Turn[] {
    const turns = this.#store.episodes.turnsOf(stepName).map(({ turn }) => turn);
    if (stepName !== this.name || !this.#findsEarlier()) return turns;
    return turns.filter(({ episodeId }) => this.#ownEpisodes.has(episodeId));
  }

  /** What earlier tries played and this one did not was played on other results: it does not count. */
  setLeftOversAside(): void {
    if (!this.#findsEarlier()) return;
    const { episodes } = this.#store;
    const leftOver = episodes.idsOf(this.name).filter((id) => !this.#ownEpisodes.has(id));
    if (leftOver.length > 0) episodes.setAside(leftOver);
  }

  /** Nearly every step is tried once: ask once, before this try has written anything. */
  #findsEarlier(): boolean {
    return (this.#hasEarlier ??= this.#store.episodes.hasEpisodes(this.name));
  }

  #recorderOf({ episodes }: RunStore): EpisodeRecorder {
    return {
      find: (episodeId) => {
        if (!this.#findsEarlier()) return null;
        this.#ownEpisodes.add(episodeId);
        return episodes.find(episodeId);
      },
      start: (start) => {
        if (this.#findsEarlier()) this.#ownEpisodes.add(start.id);
        episodes.start(start);
      },
      turns: (turns, ask, elapsedMs) => episodes.turns(turns, ask, elapsedMs),
      call: (call, elapsedMs) => episodes.call(call, elapsedMs),
      refuse: (episodeId, sequence, elapsedMs) => episodes.refuse(episodeId, sequence, elapsedMs),
      end: (episodeId, end) => episodes.end(episodeId, end),
      setAside: (episodeIds) => episodes.setAside(episodeIds),
      annotate: (annotation) => void this.annotations.push(annotation),
    };
  }
}
