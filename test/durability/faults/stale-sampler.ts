/** A sampler that keeps the weights that it had: calls with a new version are led to the one before it. */
import type { PolicyVersion } from "../../../src/contract/index.ts";

export class StaleSampler {
  readonly #newest = new Map<string, PolicyVersion>();
  readonly #earlier = new Map<string, PolicyVersion>();

  /** Whether there was an earlier version to keep. */
  published(version: PolicyVersion, isForgotten: boolean): boolean {
    const earlier = this.#newest.get(version.modelId);
    this.#newest.set(version.modelId, version);
    if (!isForgotten || earlier === undefined) return false;
    this.#earlier.set(version.address, earlier);
    return true;
  }

  /** What a call with a version is given instead. */
  lead(given: readonly unknown[]): readonly unknown[] {
    const [version, ...others] = given;
    const isVersion = typeof version === "object" && version !== null && "address" in version;
    const earlier = isVersion ? this.#earlier.get(String(version.address)) : undefined;
    return earlier === undefined ? given : [earlier, ...others];
  }
}
