/**
 * What a recipe sees of its run: named durable steps, models and states, randomness by label,
 * reports. Knows no method. Implemented by `durable-run.ts` on a run folder.
 *
 * When the body of a step returns, its result, what changed in the named states and the checkpoints
 * of the named models are committed together. A resumed run calls the recipe again: committed steps
 * return what they returned, without running. So code between steps must be a pure function of
 * results, step names must be unique, and models are touched inside steps only.
 */
import type { Clock, Random } from "../base/index.ts";
import type { CreateModelOptions, Engine, Model, PolicyVersion } from "../contract/index.ts";
import type { EpisodeRecorder, Turn } from "../records/index.ts";
import type { Report } from "./report.ts";

export interface Run<Options = unknown> {
  readonly id: string;
  readonly folder: string;
  readonly options: Options;
  readonly random: Random;
  readonly signal: AbortSignal;
  /**
   * The engine, with one thing added: a policy version that an earlier process of this run
   * published is published again when it is first used.
   */
  readonly engine: Engine;
  readonly report: Report;

  /** Makes a model, or restores it where the run already made it. Itself a durable step. */
  model(name: string, options: Omit<CreateModelOptions, "name">): Promise<Policy>;

  /** A named value that survives, plain JSON, changed inside steps that name it. */
  state<T>(name: string, initial: T): RunState<T>;

  /**
   * Runs the body once in the life of the run. What it returns must be plain JSON, and comes back as
   * JSON: members in alphabetical order, no negative zero.
   *
   * @throws `result-not-json`, `run-changed`, `name-taken`
   */
  step<T>(name: string, uses: StepUses, body: (step: Step) => Promise<T>): Promise<T>;

  /** A file of the run folder for exports and figures: `artifact("samples.txt")`. */
  artifactPath(name: string): string;
}

export interface StepUses {
  /** Models that the body changes; saved when it returns. */
  readonly models?: readonly Policy[];
  /** States that the body changes, as `run.state` made them. */
  readonly states?: readonly { readonly name: string }[];
}

/** A step that is running. */
export interface Step {
  readonly name: string;
  /** Split by the name of the step from the seed of the run. */
  readonly random: Random;
  readonly signal: AbortSignal;
  /** For durations in records; results must not depend on it. */
  readonly clock: Clock;
  /** Reported when the step commits. `name` is `area/quantity` or `area/quantity/statistic`. */
  metric(name: string, index: number, value: number): void;
  /** Progress for people; not stored. */
  progress(options: ProgressOptions): Progress;
  /**
   * Turns that this step has played so far, those included that an interrupted try of it played and
   * this one goes on with; or those of an earlier step by its name, so that results need not hold what
   * is on record already.
   */
  turns(stepName?: string): readonly Turn[];
  /** Where episodes of this step are written; for `playEpisodes` and for verdicts and rewards. */
  readonly recorder: EpisodeRecorder;
}

export interface ProgressOptions {
  /** What is being done: "answering prompts". */
  readonly what: string;
  readonly total: number;
  /** Plural noun of what is counted: "prompts", "updates". */
  readonly unit: string;
}

export interface Progress {
  advance(count?: number): void;
  end(): void;
}

/** @throws `result-not-json` from `set` */
export interface RunState<T> {
  readonly name: string;
  get(): T;
  set(value: T): void;
}

/** A model of a run. */
export interface Policy {
  readonly name: string;
  /** The engine's model; inside steps only. */
  readonly model: Model;
  /**
   * Publishes the current weights, proves with the canary that the sampler has them, and keeps them
   * in the run folder so that the version can be used after a resume. Inside steps only.
   *
   * @throws `stale-sampler` when the sampler answers with other weights
   */
  publish(): Promise<PolicyVersion>;
  /**
   * Publishes the current weights for sampling inside this step alone, proved by the canary like any
   * other; nothing is saved. For on-policy updates, of which a step does many: the next such version of
   * the policy replaces this one, and the end of the step frees it. Its number is that of the version
   * that it is on the way to; the digest tells such versions apart.
   *
   * @throws `stale-sampler`
   */
  publishForStep(): Promise<PolicyVersion>;
  /**
   * Sets the weights to those of a version of this run and begins a new optimizer: the start of an
   * iteration that trains afresh, or the way back after a collapse. Inside steps that name the policy.
   *
   * @throws `version-unknown`
   */
  restart(version: PolicyVersion): Promise<void>;
  /** Frees the engine's model; its published versions stay usable. Inside steps only. */
  release(): Promise<void>;
}
