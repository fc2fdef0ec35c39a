/**
 * What a committed step did besides returning, as plain data, and what follows from a sequence of
 * such effects: which models live and where they are saved, which versions exist, what the states
 * hold, which checkpoints are needed. Pure: no file, no engine.
 */
import { z } from "zod";
import type { JsonValue } from "../base/index.ts";
import type { PolicyVersion } from "../contract/index.ts";
import { storeError } from "../store/index.ts";

const storedVersionSchema = z.object({
  policy: z.string(),
  number: z.int().positive(),
  digest: z.string().nullable(),
  folder: z.string(),
});

const effectsSchema = z.object({
  states: z.record(z.string(), z.json()),
  made: z.object({ policy: z.string(), sourceVersion: z.string().nullable() }).nullable(),
  changed: z.array(z.string()),
  saved: z.record(z.string(), z.string()),
  released: z.array(z.string()),
  versions: z.array(storedVersionSchema),
  droppedVersions: z.array(z.string()),
});

/** A published version with the checkpoint that holds its weights. */
export type StoredVersion = {
  readonly policy: string;
  readonly number: number;
  readonly digest: string | null;
  /** The checkpoint that holds its weights. */
  readonly folder: string;
};

// A type and no interface: it is JSON, and only types are known to have no further members.
export type StepEffects = {
  readonly states: Readonly<Record<string, JsonValue>>;
  /** The model that this step made, with the address of the version that it was made from. */
  readonly made: { readonly policy: string; readonly sourceVersion: string | null } | null;
  readonly changed: readonly string[];
  /** Policy to the checkpoint that holds its state after this step. */
  readonly saved: Readonly<Record<string, string>>;
  readonly released: readonly string[];
  readonly versions: readonly StoredVersion[];
  readonly droppedVersions: readonly string[];
};

export const noEffects: StepEffects = {
  states: {},
  made: null,
  changed: [],
  saved: {},
  released: [],
  versions: [],
  droppedVersions: [],
};

/** @throws `run-corrupt` */
export function parseEffects(value: JsonValue): StepEffects {
  const parsed = effectsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw storeError("run-corrupt", `expected the effects of a step: ${z.prettifyError(parsed.error)}`);
}

/** `run:<policy>@<number>`: how versions of a run are addressed, today and after any resume. */
export function versionAddress(version: Pick<StoredVersion, "policy" | "number">): string {
  return `run:${version.policy}@${version.number}`;
}

export function isRunAddress(address: string): boolean {
  return address.startsWith("run:");
}

export function publicVersion(version: StoredVersion): PolicyVersion {
  return {
    modelId: version.policy,
    number: version.number,
    address: versionAddress(version),
    digest: version.digest,
  };
}

/** Addresses of the versions that a result or state names, anywhere inside. */
export function versionsNamedIn(value: JsonValue): Set<string> {
  const found = new Set<string>();
  const visit = (part: JsonValue): void => {
    if (typeof part === "string") {
      if (isRunAddress(part)) found.add(part);
    } else if (typeof part === "object" && part !== null) {
      for (const inner of Object.values(part)) visit(inner);
    }
  };
  visit(value);
  return found;
}

export interface ModelStanding {
  /** The checkpoint of its current state; null while it is as it was made or has unsaved changes. */
  readonly savedFolder: string | null;
  readonly isDirty: boolean;
  readonly sourceVersion: string | null;
}

/** The standing of a run after some steps. */
export class Standing {
  readonly models: Map<string, ModelStanding> = new Map();
  readonly versions: Map<string, StoredVersion> = new Map();
  readonly states: Map<string, JsonValue> = new Map();
  /** Steps that changed a model since all models were saved last. */
  changesSinceSave = 0;
  readonly #namedByResults = new Set<string>();
  readonly #namedByState = new Map<string, Set<string>>();
  readonly #dropped = new Set<string>();

  apply(result: JsonValue, effects: StepEffects): void {
    for (const address of versionsNamedIn(result)) this.#namedByResults.add(address);
    for (const [name, value] of Object.entries(effects.states)) {
      this.states.set(name, value);
      this.#namedByState.set(name, versionsNamedIn(value));
    }
    if (effects.made !== null) {
      const { policy, sourceVersion } = effects.made;
      this.models.set(policy, { savedFolder: null, isDirty: false, sourceVersion });
    }
    for (const policy of effects.changed) this.#update(policy, { savedFolder: null, isDirty: true });
    for (const [policy, folder] of Object.entries(effects.saved))
      this.#update(policy, { savedFolder: folder, isDirty: false });
    for (const policy of effects.released) this.models.delete(policy);
    for (const version of effects.versions) this.versions.set(versionAddress(version), version);
    for (const address of effects.droppedVersions) this.#dropped.add(address);
    if (effects.changed.length > 0) this.changesSinceSave++;
    if (this.isResumable) this.changesSinceSave = 0;
    this.#forgetUnneeded();
  }

  /** Whether everything that the next step needs is on the disk. */
  get isResumable(): boolean {
    return [...this.models.values()].every((model) => !model.isDirty);
  }

  nextNumber(policy: string): number {
    return (this.#lastNumbers.get(policy) ?? 0) + 1;
  }

  /** The checkpoints that something can still need, while the run is resumable here. */
  neededFolders(): Set<string> {
    const folders = [...this.versions.values()].map((version) => version.folder);
    for (const model of this.models.values()) if (model.savedFolder !== null) folders.push(model.savedFolder);
    return new Set(folders);
  }

  readonly #lastNumbers = new Map<string, number>();

  #update(policy: string, change: Pick<ModelStanding, "savedFolder" | "isDirty">): void {
    const model = this.models.get(policy);
    if (model === undefined)
      throw storeError("run-corrupt", `expected a model called ${policy}, the run has none`);
    this.models.set(policy, { ...model, ...change });
  }

  /** Versions that no result, state or unsaved model names can never be asked for again. */
  #forgetUnneeded(): void {
    const named = new Set(this.#namedByResults);
    for (const addresses of this.#namedByState.values()) for (const address of addresses) named.add(address);
    for (const address of this.#dropped) named.delete(address);
    for (const model of this.models.values()) {
      if (model.savedFolder === null && model.sourceVersion !== null) named.add(model.sourceVersion);
    }
    for (const [address, version] of this.versions) {
      this.#lastNumbers.set(
        version.policy,
        Math.max(version.number, this.#lastNumbers.get(version.policy) ?? 0),
      );
      if (!named.has(address)) this.versions.delete(address);
    }
    // Numbers rise: what is gone does not come back, and a long run names thousands of versions.
    for (const addresses of [this.#namedByResults, this.#dropped])
      for (const address of addresses) if (!this.versions.has(address)) addresses.delete(address);
  }
}

/** How many of the committed steps count on resume: those up to the last one after which all models are saved. */
export function resumableStepCount(
  steps: Iterable<{ readonly result: JsonValue; readonly effects: StepEffects }>,
): number {
  const standing = new Standing();
  let stepCount = 0;
  let resumable = 0;
  for (const step of steps) {
    standing.apply(step.result, step.effects);
    stepCount++;
    if (standing.isResumable) resumable = stepCount;
  }
  return resumable;
}
