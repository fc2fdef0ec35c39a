/**
 * Published versions: immutable copies of weights by address. A version that is released while something still
 * reads it is freed when the last reader is done.
 */
import { engineError, type TokenizerDefinition } from "../../../contract/index.ts";
import { loadTokenizer, type Tokenizer } from "../../../text/index.ts";
import type { SharedHeap } from "../executor/heap.ts";
import type { WeightBlock } from "../weights/weight-store.ts";

export interface VersionParts {
  readonly weights: WeightBlock;
  readonly trainable: boolean;
  readonly tokenizer: TokenizerDefinition | undefined;
}

export interface StoredVersion extends VersionParts {
  readonly address: string;
  readers: number;
  isReleased: boolean;
}

export class VersionStore {
  private readonly heap: SharedHeap;
  private readonly versions = new Map<string, StoredVersion>();
  private readonly tokenizers = new WeakMap<TokenizerDefinition, Tokenizer>();

  constructor(heap: SharedHeap) {
    this.heap = heap;
  }

  add(address: string, parts: VersionParts): void {
    this.versions.set(address, { ...parts, address, readers: 0, isReleased: false });
  }

  /** @throws `version-unknown` */
  find(address: string): StoredVersion {
    const version = this.versions.get(address);
    if (version !== undefined) return version;
    throw engineError("version-unknown", `expected a published version, got ${address}`, {
      hint: "it was released, or another engine published it",
    });
  }

  /** The tokenizer for stop strings, made when the first request needs it. */
  tokenizerOf(version: StoredVersion): Tokenizer | undefined {
    const { tokenizer: definition } = version;
    if (definition === undefined) return undefined;
    const present = this.tokenizers.get(definition);
    if (present !== undefined) return present;
    const made = loadTokenizer(definition);
    this.tokenizers.set(definition, made);
    return made;
  }

  async hold<T>(version: StoredVersion, action: () => Promise<T>): Promise<T> {
    version.readers += 1;
    try {
      return await action();
    } finally {
      version.readers -= 1;
      this.freeIfUnused(version);
    }
  }

  release(address: string): void {
    const version = this.find(address);
    this.versions.delete(address);
    version.isReleased = true;
    this.freeIfUnused(version);
  }

  private freeIfUnused(version: StoredVersion): void {
    if (version.isReleased && version.readers === 0) this.heap.free(version.weights.address);
  }
}
