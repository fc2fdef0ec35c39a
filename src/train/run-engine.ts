/**
 * The engine as a recipe sees it: versions of this run are addressed by policy and number, and are
 * published again from their saved weights when an engine that never saw them is asked for one.
 * Everything else goes through unchanged. Used inside steps only.
 */
import type { CallOptions } from "../base/index.ts";
import {
  engineError,
  type Capability,
  type Chunk,
  type CreateModelOptions,
  type Engine,
  type EngineDescription,
  type ImageChunk,
  type Model,
  type PolicyVersion,
  type SampleRequest,
  type SampleResponse,
} from "../contract/index.ts";
import { proveSampler } from "./prove-sampler.ts";
import { isRunAddress } from "./step-effects.ts";

/** What the run knows that the engine does not. */
export interface VersionSource {
  /** @throws `outside-step` */
  checkUse(): void;
  callOptions(call: CallOptions | undefined): CallOptions;
  /** Whether a version still counts. */
  isKept(version: PolicyVersion): boolean;
  /** False for versions of value models, whose head is no distribution. */
  canBeSampled(version: PolicyVersion): boolean;
  /** The folder with its weights, as they were saved. @throws `version-unknown`, `run-corrupt` */
  weightsOf(version: PolicyVersion): Promise<string>;
  /** Says that nobody will ask for this version any more. */
  drop(version: PolicyVersion): void;
}

export class RunEngine implements Engine {
  readonly #engine: Engine;
  readonly #source: VersionSource;
  /** The engine's own version by ours; a promise while it is being published again. */
  readonly #published = new Map<
    string,
    { readonly address: string; readonly version: Promise<PolicyVersion> }
  >();

  constructor(engine: Engine, source: VersionSource) {
    this.#engine = engine;
    this.#source = source;
  }

  get description(): EngineDescription {
    return this.#engine.description;
  }

  get capabilities(): ReadonlySet<Capability> {
    return this.#engine.capabilities;
  }

  /** Remembers what the engine calls a version that was just published. */
  register(version: PolicyVersion, engineVersion: PolicyVersion): void {
    this.#published.set(keyOf(version), {
      address: version.address,
      version: Promise.resolve(engineVersion),
    });
  }

  /** Frees the engine's copy of a version that was registered and is kept nowhere. */
  async forget(version: PolicyVersion, call: CallOptions): Promise<void> {
    const published = this.#published.get(keyOf(version));
    if (published === undefined) return;
    this.#published.delete(keyOf(version));
    await this.#engine.releaseVersion(await published.version, call);
  }

  /** Frees the engine's copies of versions that can never be asked for again. */
  async retain(isKept: (address: string) => boolean, call: CallOptions): Promise<void> {
    const others = [...this.#published].filter(([, { address }]) => !isKept(address));
    for (const [key, { version }] of others) {
      this.#published.delete(key);
      await this.#engine.releaseVersion(await version, call);
    }
  }

  /** A model outside the run's keeping: it lives as long as the step's body wants it. */
  async createModel(options: CreateModelOptions, call?: CallOptions): Promise<Model> {
    this.#source.checkUse();
    const { from } = options;
    const source =
      from.kind === "version" ? { kind: from.kind, version: await this.#resolve(from.version) } : from;
    return this.#engine.createModel({ ...options, from: source }, this.#source.callOptions(call));
  }

  async sample(version: PolicyVersion, request: SampleRequest, call?: CallOptions): Promise<SampleResponse> {
    this.#source.checkUse();
    return this.#engine.sample(await this.#resolve(version), request, this.#source.callOptions(call));
  }

  async computeLogprobs(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    this.#source.checkUse();
    return this.#engine.computeLogprobs(await this.#resolve(version), inputs, this.#source.callOptions(call));
  }

  async computeValues(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    this.#source.checkUse();
    return this.#engine.computeValues(await this.#resolve(version), inputs, this.#source.callOptions(call));
  }

  async embed(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    this.#source.checkUse();
    return this.#engine.embed(await this.#resolve(version), inputs, this.#source.callOptions(call));
  }

  imagePositions(image: Omit<ImageChunk, "positionCount">): number {
    return this.#engine.imagePositions(image);
  }

  /** Drops a version for good when the step commits: its weights leave the run folder too. */
  async releaseVersion(version: PolicyVersion, call?: CallOptions): Promise<void> {
    this.#source.checkUse();
    if (!isRunAddress(version.address))
      return this.#engine.releaseVersion(version, this.#source.callOptions(call));
    if (!this.#source.isKept(version)) throw unknownVersion(version);
    const published = this.#published.get(keyOf(version));
    this.#published.delete(keyOf(version));
    this.#source.drop(version);
    if (published !== undefined)
      await this.#engine.releaseVersion(await published.version, this.#source.callOptions(call));
  }

  async close(): Promise<void> {
    throw engineError("invalid-input", "expected the run to close its engine, a recipe tried to");
  }

  #resolve(version: PolicyVersion): Promise<PolicyVersion> {
    if (!isRunAddress(version.address)) return Promise.resolve(version);
    const key = keyOf(version);
    const known = this.#published.get(key);
    if (known !== undefined) return known.version;
    const published = this.#publishAgain(version);
    this.#published.set(key, { address: version.address, version: published });
    // A failure must not stick: the next caller tries again.
    published.catch(() => this.#published.delete(key));
    return published;
  }

  async #publishAgain(version: PolicyVersion): Promise<PolicyVersion> {
    const folder = await this.#source.weightsOf(version);
    const call = this.#source.callOptions(undefined);
    const from = { kind: "saved", folder, includeOptimizer: false } as const;
    const model = await this.#engine.createModel(
      { name: `${version.modelId}@${version.number}`, from },
      call,
    );
    try {
      const published = await model.publish({ trainable: true }, call);
      if (published.digest !== null && published.digest !== version.digest) {
        throw engineError(
          "state-unreadable",
          `expected the weights of ${version.address} with digest ${version.digest}, the engine reads ${published.digest ?? "none"} from ${folder}`,
          { hint: "use the engine that saved them; spar list shows which one that was" },
        );
      }
      // A sampler that goes by names may hold the weights that an earlier process gave it.
      const engine = this.#engine;
      if (this.#source.canBeSampled(version)) await proveSampler({ engine, model, version: published }, call);
      return published;
    } finally {
      await model.release(call);
    }
  }
}

/** Number and weights: a version of other weights is another one, whatever its number. */
function keyOf(version: PolicyVersion): string {
  return `${version.address} ${version.digest ?? ""}`;
}

/** The refusal of a version that this run does not keep. */
export function unknownVersion(version: PolicyVersion): Error {
  return engineError("version-unknown", `expected a version that this run keeps, got ${version.address}`, {
    hint: "a version is kept while the result of a step or a state names it, and until it is released",
  });
}
