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
    return this.#store.episodes.turnsOf(stepName).map(({ turn }) => turn);
  }

  #recorderOf({ episodes }: RunStore): EpisodeRecorder {
    let hasEarlier: boolean | null = null;
    return {
      find: (episodeId) => {
        // Nearly every step is tried once: ask once whether there is anything to find.
        hasEarlier ??= episodes.hasEpisodes(this.name);
        return hasEarlier ? episodes.find(episodeId) : null;
      },
      start: (start) => episodes.start(start),
      turns: (turns, ask, elapsedMs) => episodes.turns(turns, ask, elapsedMs),
      call: (call, elapsedMs) => episodes.call(call, elapsedMs),
      refuse: (episodeId, sequence, elapsedMs) => episodes.refuse(episodeId, sequence, elapsedMs),
      end: (episodeId, end) => episodes.end(episodeId, end),
      setAside: (episodeIds) => episodes.setAside(episodeIds),
      annotate: (annotation) => void this.annotations.push(annotation),
    };
  }
}
