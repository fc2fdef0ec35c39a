/**
 * Durable steps as they were committed: result, effects, reports, metrics, annotations and
 * checkpoints of a step in one transaction. Each row carries a hash over itself and the row before
 * it, so that a database that lost or mixed commits is noticed. Knows no recipe and no model.
 */
import { sha256, type JsonValue } from "../base/index.ts";
import type { Annotation, Metric } from "../records/index.ts";
import type { Checkpoint, CheckpointFile } from "./checkpoints.ts";
import { CheckedTable } from "./checked-table.ts";
import { numberOf, numberOrNullOf, textOf, textOrNullOf, type Database, type Row } from "./database.ts";
import { jsonOf } from "./stored-json.ts";
import { storeError } from "./store-errors.ts";
import type { TextTable } from "./text-table.ts";

/** `end` is the last row of a run that finished. */
export type StepKind = "model" | "step" | "end";

/** What a step did besides returning: plain data whose meaning belongs to whoever runs steps. */
export interface StepCommit {
  readonly position: number;
  readonly name: string;
  readonly kind: StepKind;
  /** What it said it would change; compared on resume. */
  readonly uses: JsonValue;
  readonly result: JsonValue;
  readonly effects: JsonValue;
  readonly startedMs: number;
  readonly durationMs: number;
}

export interface StoredReport {
  /** `before`: told between the previous step and this one; `inside`: by its body. */
  readonly place: "before" | "inside";
  readonly event: JsonValue;
}

export interface StepAttachments {
  readonly checkpoints: readonly Checkpoint[];
  readonly reports: readonly StoredReport[];
  readonly metrics: readonly Omit<Metric, "stepName">[];
  readonly annotations: readonly Annotation[];
}

export interface StoredStep extends StepCommit {
  readonly id: number;
  /** True where a resumed run went back behind it and did it again. */
  readonly isSuperseded: boolean;
}

const firstLink = "spar";

// Columns in the order in which the rows below are written.
const stepColumns = "position name kind uses result effects started_ms duration_ms chain";
const checkpointColumns = "folder step policy bytes files digest";
const reportColumns = "step place event";
const metricColumns = "step name position value";
const annotationColumns = "step episode annotation";

export class StepLog {
  readonly #database: Database;
  readonly #texts: TextTable;
  readonly #steps: CheckedTable;
  readonly #checkpoints: CheckedTable;
  readonly #reports: CheckedTable;
  readonly #metrics: CheckedTable;
  readonly #annotations: CheckedTable;

  constructor(database: Database, texts: TextTable) {
    this.#database = database;
    this.#texts = texts;
    this.#steps = new CheckedTable(database, "steps", stepColumns.split(" "));
    // The same folder is written again where a superseded step is repeated.
    const replaces = { replaces: true };
    this.#checkpoints = new CheckedTable(database, "checkpoints", checkpointColumns.split(" "), replaces);
    this.#reports = new CheckedTable(database, "reports", reportColumns.split(" "));
    this.#metrics = new CheckedTable(database, "metrics", metricColumns.split(" "));
    this.#annotations = new CheckedTable(database, "annotations", annotationColumns.split(" "));
  }

  /** Adds a step and what belongs to it; inside a transaction of the writer. */
  append(commit: StepCommit, attachments: StepAttachments): void {
    const chain = linkOf(this.#linkBefore(commit.position), commit);
    const stepId = this.#steps.insert(
      commit.position,
      commit.name,
      commit.kind,
      JSON.stringify(commit.uses),
      JSON.stringify(commit.result),
      JSON.stringify(commit.effects),
      Math.round(commit.startedMs),
      commit.durationMs,
      chain,
    );
    for (const { folder, policy, bytes, files, digest } of attachments.checkpoints)
      this.#checkpoints.insert(folder, stepId, policy, bytes, JSON.stringify(files), digest);
    for (const { place, event } of attachments.reports)
      this.#reports.insert(stepId, place, JSON.stringify(event));
    for (const { name, index, value } of attachments.metrics)
      this.#metrics.insert(stepId, this.#texts.idOf(name), index, Number.isNaN(value) ? null : value);
    for (const annotation of attachments.annotations)
      this.#annotations.insert(stepId, annotationEpisode(annotation), JSON.stringify(annotation));
  }

  /** Marks all steps from a position on as done again; inside a transaction of the writer. */
  supersedeFrom(position: number): void {
    this.#database.run("UPDATE steps SET superseded = 1 WHERE superseded = 0 AND position >= ?", position);
  }

  /** Whether the last step of the program was committed. */
  isFinished(): boolean {
    return this.#database.first("SELECT id FROM steps WHERE superseded = 0 AND kind = 'end'") !== null;
  }

  /** The number of steps that count. */
  count(): number {
    return numberOf(this.#database.first("SELECT count(*) AS n FROM steps WHERE superseded = 0") ?? {}, "n");
  }

  at(position: number): StoredStep | null {
    const row = this.#database.first("SELECT * FROM steps WHERE superseded = 0 AND position = ?", position);
    return row === null ? null : this.#stepOf(row);
  }

  /** Steps in the order of the program; with those that were superseded, in the order of commits. */
  *each(options: { readonly includeSuperseded?: boolean } = {}): Generator<StoredStep> {
    const where =
      options.includeSuperseded === true ? "ORDER BY id" : "WHERE superseded = 0 ORDER BY position";
    for (const row of this.#database.each(`SELECT * FROM steps ${where}`)) yield this.#stepOf(row);
  }

  reportsOf(stepId: number): StoredReport[] {
    const rows = this.#database.all("SELECT * FROM reports WHERE step = ? ORDER BY id", stepId);
    return rows.map((row) => ({
      place: textOf(this.#reports.checked(row), "place") === "before" ? "before" : "inside",
      event: jsonOf<JsonValue>(row, "event"),
    }));
  }

  metricsOf(step: StoredStep): Metric[] {
    const rows = this.#database.all("SELECT * FROM metrics WHERE step = ? ORDER BY id", step.id);
    return rows.map((row) => ({
      stepName: step.name,
      name: this.#texts.textOf(numberOf(this.#metrics.checked(row), "name")),
      index: numberOf(row, "position"),
      value: numberOrNullOf(row, "value") ?? Number.NaN,
    }));
  }

  /** What was said about an episode by steps that count, in the order in which it was said. */
  annotationsOf(episodeId: string): Annotation[] {
    const rows = this.#database.all(
      "SELECT annotations.* FROM annotations JOIN steps ON steps.id = annotations.step WHERE episode = ? AND superseded = 0 ORDER BY annotations.id",
      episodeId,
    );
    return rows.map((row) => jsonOf<Annotation>(this.#annotations.checked(row), "annotation"));
  }

  checkpoint(folder: string): Checkpoint {
    const row = this.#database.first("SELECT * FROM checkpoints WHERE folder = ?", folder);
    if (row === null)
      throw storeError("record-unknown", `expected a record of the checkpoint ${folder}, found none`);
    const files = jsonOf<readonly CheckpointFile[]>(this.#checkpoints.checked(row), "files");
    return {
      folder,
      policy: textOf(row, "policy"),
      bytes: numberOf(row, "bytes"),
      files,
      digest: textOrNullOf(row, "digest"),
    };
  }

  /**
   * Reads the chain of hashes from the first step to the last.
   *
   * @throws `run-corrupt` naming the step where it breaks
   */
  verify(): void {
    let link = firstLink;
    let position = 0;
    for (const row of this.#database.each("SELECT * FROM steps WHERE superseded = 0 ORDER BY position")) {
      const step = this.#stepOf(row);
      link = linkOf(link, step);
      if (step.position !== position || link !== textOf(row, "chain")) {
        throw storeError(
          "run-corrupt",
          `expected step ${position} of the run as it was committed, found "${step.name}" changed or out of place`,
        );
      }
      position++;
    }
  }

  #linkBefore(position: number): string {
    if (position === 0) return firstLink;
    const row = this.#database.first(
      "SELECT chain FROM steps WHERE superseded = 0 AND position = ?",
      position - 1,
    );
    if (row === null)
      throw storeError("run-corrupt", `expected step ${position - 1} before step ${position}, found none`);
    return textOf(row, "chain");
  }

  #stepOf(row: Row): StoredStep {
    this.#steps.checked(row);
    return {
      id: numberOf(row, "id"),
      position: numberOf(row, "position"),
      name: textOf(row, "name"),
      kind: kindOf(textOf(row, "kind")),
      uses: jsonOf<JsonValue>(row, "uses"),
      result: jsonOf<JsonValue>(row, "result"),
      effects: jsonOf<JsonValue>(row, "effects"),
      startedMs: numberOf(row, "started_ms"),
      durationMs: numberOf(row, "duration_ms"),
      isSuperseded: numberOf(row, "superseded") === 1,
    };
  }
}

/** The episode that an annotation is about. */
export function annotationEpisode(annotation: Annotation): string {
  const { target } = annotation;
  return target.kind === "turn" ? target.turnId.slice(0, target.turnId.lastIndexOf(":")) : target.episodeId;
}

function linkOf(before: string, commit: StepCommit): string {
  const { position, name, kind, uses, result, effects } = commit;
  return sha256(`${before}\n${JSON.stringify([position, name, kind, uses, result, effects])}`);
}

function kindOf(text: string): StepKind {
  if (text === "model" || text === "step" || text === "end") return text;
  throw storeError("run-corrupt", `expected a kind of step, got ${text}`);
}
