/**
 * A model of a run: the engine's model while it is live, its saved state between processes, its
 * published versions. The run decides when it is made, restored and saved; this knows how.
 */
import { sha256, withDeadline, type CallOptions } from "../base/index.ts";
import type { CreateModelOptions, Model, PolicyVersion } from "../contract/index.ts";
import { toStoreError, type Checkpoint, type RunStore } from "../store/index.ts";
import { GuardedModel, type ModelGuard } from "./guarded-model.ts";
import { proveSampler } from "./prove-sampler.ts";
import type { Policy } from "./run.ts";
import type { RunEngine } from "./run-engine.ts";
import { publicVersion, type StoredVersion } from "./step-effects.ts";
import { trainError } from "./train-errors.ts";

/** What a policy needs of its run. */
export interface PolicyHost extends ModelGuard {
  readonly engine: RunEngine;
  readonly store: RunStore;
  /** The longest that making, saving, restoring or publishing a model may take. */
  readonly engineTimeoutMs: number;
  readonly position: number;
  /** The folder with the weights of a version. @throws `version-unknown`, `run-corrupt` */
  weightsOf(version: PolicyVersion): Promise<string>;
  nextVersionNumber(policy: string): number;
  published(version: StoredVersion): void;
  saved(checkpoint: Checkpoint): void;
  released(policy: string): void;
}

export class RunPolicy implements Policy {
  readonly name: string;
  readonly #options: Omit<CreateModelOptions, "name">;
  readonly #hostOf: (policy: RunPolicy) => PolicyHost;
  #model: GuardedModel | null = null;
  #isReleased = false;
  /** The checkpoint of the state after `changeCount` changes. */
  #saved: { readonly checkpoint: Checkpoint; readonly changeCount: number } | null = null;
  #saveCount = { position: -1, count: 0 };
  /** What was last published for a step alone. */
  #forStep: PolicyVersion | null = null;
  #forStepCount = { position: -1, count: 0 };

  constructor(
    name: string,
    options: Omit<CreateModelOptions, "name">,
    hostOf: (policy: RunPolicy) => PolicyHost,
  ) {
    this.name = name;
    this.#options = options;
    this.#hostOf = hostOf;
  }

  get model(): Model {
    return this.#live();
  }

  get changeCount(): number {
    return this.#model?.changeCount ?? 0;
  }

  get hasGradients(): boolean {
    return this.#model?.hasGradients ?? false;
  }

  get isValueModel(): boolean {
    return this.#options.head === "value";
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Whether its state is neither as it was made nor on the disk. */
  get isDirty(): boolean {
    return (
      this.#model !== null &&
      this.#model.changeCount > 0 &&
      this.#saved?.changeCount !== this.#model.changeCount
    );
  }

  /** The checkpoint of its current state, null where there is none. */
  get currentFolder(): string | null {
    return this.#saved !== null && this.#saved.changeCount === this.changeCount
      ? this.#saved.checkpoint.folder
      : null;
  }

  /** Makes the engine's model as it was first asked for. */
  async create(): Promise<void> {
    await this.#attach({ ...this.#options, name: this.name });
  }

  /** Continues from a checkpoint, after comparing it with what was saved. */
  async restore(folder: string): Promise<void> {
    const { store } = this.#host;
    const checkpoint = store.steps.checkpoint(folder);
    await store.checkpoints.verify(checkpoint);
    // The saved state says how it is tuned; only the tokenizer may have been given by hand.
    const { tokenizer } = this.#options;
    const given = tokenizer === undefined ? {} : { tokenizer };
    const from = { kind: "saved", folder: store.checkpoints.pathOf(folder), includeOptimizer: true } as const;
    await this.#attach({ name: this.name, from, ...given });
    this.#saved = { checkpoint, changeCount: 0 };
  }

  /** Marks a policy whose model an earlier step released. */
  markReleased(): void {
    this.#isReleased = true;
  }

  /** Writes a checkpoint of the current state, unless there is one. */
  async save(): Promise<Checkpoint> {
    const host = this.#host;
    const model = this.#live();
    if (this.#saved?.changeCount === model.changeCount) return this.#saved.checkpoint;
    const { changeCount } = model;
    const folder = this.#nextFolder(host.position);
    const temporary = host.store.checkpoints.temporaryPath(folder);
    const state = await this.#wait("saving", (call) => model.inner.save(temporary, call)).catch(
      // An engine may pass on what the file system said: it said it of the run folder.
      (thrown: unknown) => {
        throw toStoreError(thrown, `saving the model ${this.name}`);
      },
    );
    const checkpoint = await host.store.checkpoints.install(temporary, {
      folder,
      policy: this.name,
      digest: state.digest,
    });
    host.saved(checkpoint);
    this.#saved = { checkpoint, changeCount };
    return checkpoint;
  }

  async publish(): Promise<PolicyVersion> {
    const host = this.#host;
    host.checkUse();
    const model = this.#live();
    const checkpoint = await this.save();
    const published = await this.#wait("publishing", (call) =>
      model.inner.publish({ trainable: true }, call),
    );
    const number = host.nextVersionNumber(this.name);
    // Where the engine cannot read its weights, the saved state tells one version from another that
    // a repeated step made under the same number.
    const digest = published.digest ?? sha256(JSON.stringify(checkpoint.files));
    const version: StoredVersion = { policy: this.name, number, digest, folder: checkpoint.folder };
    host.engine.register(publicVersion(version), published);
    host.published(version);
    await this.#checkCanary(publicVersion(version));
    return publicVersion(version);
  }

  async publishForStep(): Promise<PolicyVersion> {
    const host = this.#host;
    host.checkUse();
    const model = this.#live();
    const before = this.#forStep;
    const published = await this.#wait("publishing", (call) => model.inner.publish({}, call));
    const number = host.nextVersionNumber(this.name);
    // Versions on the way to one number differ by digest; where weights cannot be read, by their place.
    const { position } = host;
    this.#forStepCount = {
      position,
      count: this.#forStepCount.position === position ? this.#forStepCount.count + 1 : 0,
    };
    const digest = published.digest ?? sha256(`${this.name}/${position}/${this.#forStepCount.count}`);
    const version = publicVersion({ policy: this.name, number, digest, folder: "" });
    host.engine.register(version, published);
    this.#forStep = version;
    await this.#checkCanary(version);
    if (before !== null) await this.#wait("freeing", (call) => host.engine.forget(before, call));
    return version;
  }

  async #checkCanary(version: PolicyVersion): Promise<void> {
    // The head of a value model is no distribution that could be sampled.
    if (this.isValueModel) return;
    const { engine } = this.#host;
    const { inner: model } = this.#live();
    await this.#wait("the canary of", (call) => proveSampler({ engine, model, version }, call));
  }

  async restart(version: PolicyVersion): Promise<void> {
    const host = this.#host;
    host.checkChange();
    const model = this.#live();
    const folder = await host.weightsOf(version);
    await this.#wait("restarting", (call) => model.load(folder, { includeOptimizer: false }, call));
  }

  async release(): Promise<void> {
    const host = this.#host;
    host.checkChange();
    const model = this.#live();
    this.#isReleased = true;
    this.#model = null;
    host.released(this.name);
    await this.#wait("releasing", (call) => model.inner.release(call));
  }

  get #host(): PolicyHost {
    return this.#hostOf(this);
  }

  async #attach(options: CreateModelOptions): Promise<void> {
    const host = this.#host;
    const inner = await this.#wait("making", (call) => host.engine.createModel(options, call));
    this.#model = new GuardedModel(inner, host);
  }

  #live(): GuardedModel {
    this.#host.checkUse();
    if (this.#model !== null) return this.#model;
    throw trainError("model-unavailable", `expected the model ${this.name} to be there, it was released`, {
      hint: "make another model from one of its versions",
    });
  }

  /**
   * Distinct within a step, so that a publication and the end of the step can each have one. Names of
   * policies hold no point, so no two policies share a folder: with "-", the second save of `a` at 3
   * would be the first of `a-3` at 1.
   */
  #nextFolder(position: number): string {
    const count = this.#saveCount.position === position ? this.#saveCount.count + 1 : 0;
    this.#saveCount = { position, count };
    return `${this.name}.${position}${count === 0 ? "" : `.${count}`}`;
  }

  #wait<T>(doing: string, start: (call: CallOptions) => Promise<T>): Promise<T> {
    const timeoutMs = this.#host.engineTimeoutMs;
    const call = this.#host.callOptions(undefined);
    const what = `${doing} the model ${this.name}`;
    return withDeadline({ ...call, boundary: "engine", what, timeoutMs }, (signal) =>
      start({ signal, timeoutMs }),
    );
  }
}
