/**
 * A run folder that is open for reading, beside a live process or long after it: what replay, export,
 * sampling, reports and the dashboard are made from. Reads only what was committed; writes nothing.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { JsonValue } from "../base/index.ts";
import type { Annotation, EpisodeEnd, EpisodeStart, Metric, RecordedEpisode } from "../records/index.ts";
import { verifyCheckpoint, type Checkpoint } from "./checkpoints.ts";
import { Database, numberOrNullOf, type Row } from "./database.ts";
import { EpisodeRows } from "./episode-rows.ts";
import { isLocked } from "./lock.ts";
import { isRunFolder, readManifest, type RunManifest } from "./manifest.ts";
import { runPaths, type RunPaths } from "./run-paths.ts";
import { RunEvents, type RunEventRecord } from "./run-events.ts";
import { StepLog, type StoredReport, type StoredStep } from "./step-log.ts";
import { storeError, withReadErrors } from "./store-errors.ts";
import { checkStructure, checkTables } from "./tables.ts";
import { TextTable } from "./text-table.ts";

/** Where a run stands: `interrupted` can be resumed, `failed` too once its cause is gone. */
export type RunStatus = "running" | "finished" | "failed" | "interrupted";

/** An episode without its turns. */
export interface EpisodeSummary {
  readonly start: EpisodeStart;
  readonly end: EpisodeEnd | null;
  readonly turnCount: number;
}

/**
 * Opens a run for reading, after looking for damage.
 *
 * @throws `not-a-run`, `run-unreadable`, `run-corrupt`, `run-too-new`, `run-too-old`
 */
export function openRunReader(folder: string): RunReader {
  return new RunReader(folder);
}

export class RunReader {
  readonly manifest: RunManifest;
  readonly paths: RunPaths;
  readonly #database: Database;
  readonly #texts: TextTable;
  readonly #events: RunEvents;
  readonly #steps: StepLog;
  readonly #rows: EpisodeRows;

  /** Without `looksForDamage` the file is not read as a whole: for what needs its first rows alone. */
  constructor(folder: string, { looksForDamage = true }: { readonly looksForDamage?: boolean } = {}) {
    this.paths = runPaths(folder);
    this.manifest = readManifest(folder);
    this.#database = Database.openForReading(this.paths.database);
    this.#texts = new TextTable(this.#database);
    this.#events = new RunEvents(this.#database);
    this.#steps = new StepLog(this.#database, this.#texts);
    this.#rows = new EpisodeRows(this.#database, this.#texts);
    this.#database.orClose(() => {
      checkTables(this.#database);
      if (looksForDamage) checkStructure(this.#database);
      this.#events.checkManifest(this.manifest);
    });
  }

  status(): RunStatus {
    if (this.#steps.isFinished()) return "finished";
    if (isLocked(this.paths.lock)) return "running";
    return this.#events.last()?.kind === "run-failed" ? "failed" : "interrupted";
  }

  /** Committed steps in the order of the program. */
  steps(options: { readonly includeSuperseded?: boolean } = {}): Generator<StoredStep> {
    return this.#steps.each(options);
  }

  /** The number of committed steps. */
  stepCount(): number {
    return this.#steps.count();
  }

  /** What the run returned, null while it has not finished. */
  result(): JsonValue {
    for (const step of this.#steps.each()) if (step.kind === "end") return step.result;
    return null;
  }

  /** Metrics of steps that count, in the order of the program. */
  *metrics(): Generator<Metric> {
    for (const step of this.#steps.each()) yield* this.#steps.metricsOf(step);
  }

  /** What the recipe told people, in the order of the program. */
  *reports(): Generator<StoredReport & { readonly stepName: string }> {
    for (const step of this.#steps.each()) {
      for (const report of this.#steps.reportsOf(step.id)) yield { ...report, stepName: step.name };
    }
  }

  /** What happened to the run itself: begun, resumed, failed. */
  events(): Generator<RunEventRecord> {
    return this.#events.each();
  }

  /** Episodes that count, of one step or of all, in the order in which they began. */
  *episodes(options: { readonly stepName?: string } = {}): Generator<EpisodeSummary> {
    const counted =
      "SELECT *, (SELECT count(*) FROM turns WHERE turns.episode = episodes.id) AS turn_count FROM episodes";
    if (options.stepName === undefined) {
      for (const row of this.#database.each(`${counted} WHERE superseded = 0 ORDER BY id`))
        yield this.#summaryOf(row);
      return;
    }
    const step = this.#texts.find(options.stepName);
    if (step === null) return;
    for (const row of this.#database.each(`${counted} WHERE superseded = 0 AND step = ? ORDER BY id`, step)) {
      yield this.#summaryOf(row);
    }
  }

  /**
   * An episode with its turns and calls in the order of the game.
   *
   * @throws `record-unknown`
   */
  episode(episodeId: string): RecordedEpisode {
    const found = this.#rows.find(episodeId);
    if (found === null)
      throw storeError("record-unknown", `expected an episode of this run, ${episodeId} is none`);
    return found.episode;
  }

  /** What was said about an episode, its seats and turns; of equal target and name the last counts. */
  annotations(episodeId: string): Annotation[] {
    return this.#steps.annotationsOf(episodeId);
  }

  /**
   * Where a checkpoint lies, after comparing its files, or those of them that are needed, with what was
   * saved.
   *
   * @throws `record-unknown`, `run-corrupt`
   */
  async checkpointFolder(folder: string, isNeeded: (file: string) => boolean = () => true): Promise<string> {
    const { path, ...record } = this.checkpoint(folder);
    await verifyCheckpoint(path, record, isNeeded);
    return path;
  }

  /** The record of a checkpoint, and where it lies. */
  checkpoint(folder: string): Checkpoint & { readonly path: string } {
    return { ...this.#steps.checkpoint(folder), path: join(this.paths.checkpoints, folder) };
  }

  /** Idempotent. */
  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #summaryOf(row: Row): EpisodeSummary {
    return {
      start: this.#rows.startOf(row),
      end: this.#rows.endOf(row),
      turnCount: numberOrNullOf(row, "turn_count") ?? 0,
    };
  }
}

/** One line of a list of runs. */
export type RunListing =
  | {
      readonly kind: "run";
      readonly folder: string;
      readonly manifest: RunManifest;
      readonly status: RunStatus;
      readonly stepCount: number;
    }
  | { readonly kind: "unreadable"; readonly folder: string; readonly problem: string };

/** The runs below a folder, oldest first; one that cannot be read is listed with the reason. */
export function listRuns(runsFolder: string): RunListing[] {
  const names = withReadErrors(`reading ${runsFolder}`, () => namesIn(runsFolder));
  const listings = names
    .map((name) => join(runsFolder, name))
    .filter(isRunFolder)
    .map(listingOf);
  return listings.toSorted((a, b) => createdMs(a) - createdMs(b));
}

function listingOf(folder: string): RunListing {
  try {
    using reader = new RunReader(folder, { looksForDamage: false });
    return {
      kind: "run",
      folder,
      manifest: reader.manifest,
      status: reader.status(),
      stepCount: reader.stepCount(),
    };
  } catch (thrown) {
    return { kind: "unreadable", folder, problem: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

function createdMs(listing: RunListing): number {
  return listing.kind === "run" ? listing.manifest.createdMs : 0;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return [];
    throw thrown;
  }
}
