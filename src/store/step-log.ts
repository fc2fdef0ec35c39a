/**
 * Durable steps as they were committed: result, effects, reports, metrics, annotations and
 * checkpoints of a step in one transaction. Each row carries a hash over itself and the row before
 * it, so that a database that lost or mixed commits is noticed. Knows no recipe and no model.
 */
import { sha256, type JsonValue } from "../base/index.ts";
import type { Annotation, Metric } from "../records/index.ts";
import type { Checkpoint, CheckpointFile } from "./checkpoints.ts";
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

export class StepLog {
  readonly #database: Database;
  readonly #texts: TextTable;

  constructor(database: Database, texts: TextTable) {
    this.#database = database;
    this.#texts = texts;
  }

  /** Adds a step and what belongs to it; inside a transaction of the writer. */
  append(commit: StepCommit, attachments: StepAttachments): void {
    const chain = linkOf(this.#linkBefore(commit.position), commit);
    const { lastId } = this.#database.run(
      "INSERT INTO steps (position, name, kind, uses, result, effects, started_ms, duration_ms, chain) VALUES (?,?,?,?,?,?,?,?,?)",
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
    for (const checkpoint of attachments.checkpoints) this.#appendCheckpoint(lastId, checkpoint);
    for (const { place, event } of attachments.reports) {
      this.#database.run(
        "INSERT INTO reports (step, place, event) VALUES (?,?,?)",
        lastId,
        place,
        JSON.stringify(event),
      );
    }
    for (const metric of attachments.metrics) {
      const value = Number.isNaN(metric.value) ? null : metric.value;
      const name = this.#texts.idOf(metric.name);
      this.#database.run(
        "INSERT INTO metrics (step, name, position, value) VALUES (?,?,?,?)",
        lastId,
        name,
        metric.index,
        value,
      );
    }
    for (const annotation of attachments.annotations) {
      const episode = annotationEpisode(annotation);
      const text = JSON.stringify(annotation);
      this.#database.run(
        "INSERT INTO annotations (step, episode, annotation) VALUES (?,?,?)",
        lastId,
        episode,
        text,
      );
    }
  }

  /** Marks all steps from a position on as done again; inside a transaction of the writer. */
  supersedeFrom(position: number): void {
    this.#database.run("UPDATE steps SET superseded = 1 WHERE superseded = 0 AND position >= ?", position);
  }

  /** The number of steps that count. */
  count(): number {
    return numberOf(this.#database.first("SELECT count(*) AS n FROM steps WHERE superseded = 0") ?? {}, "n");
  }

  at(position: number): StoredStep | null {
    const row = this.#database.first("SELECT * FROM steps WHERE superseded = 0 AND position = ?", position);
    return row === null ? null : stepOf(row);
  }

  /** Steps in the order of the program; with those that were superseded, in the order of commits. */
  *each(options: { readonly includeSuperseded?: boolean } = {}): Generator<StoredStep> {
    const where =
      options.includeSuperseded === true ? "ORDER BY id" : "WHERE superseded = 0 ORDER BY position";
    for (const row of this.#database.each(`SELECT * FROM steps ${where}`)) yield stepOf(row);
  }

  reportsOf(stepId: number): StoredReport[] {
    const rows = this.#database.all("SELECT place, event FROM reports WHERE step = ? ORDER BY id", stepId);
    return rows.map((row) => ({
      place: textOf(row, "place") === "before" ? "before" : "inside",
      event: jsonOf<JsonValue>(row, "event"),
    }));
  }

  metricsOf(step: StoredStep): Metric[] {
    const rows = this.#database.all(
      "SELECT name, position, value FROM metrics WHERE step = ? ORDER BY id",
      step.id,
    );
    return rows.map((row) => ({
      stepName: step.name,
      name: this.#texts.textOf(numberOf(row, "name")),
      index: numberOf(row, "position"),
      value: numberOrNullOf(row, "value") ?? Number.NaN,
    }));
  }

  /** What was said about an episode by steps that count, in the order in which it was said. */
  annotationsOf(episodeId: string): Annotation[] {
    const rows = this.#database.all(
      "SELECT annotation FROM annotations JOIN steps ON steps.id = annotations.step WHERE episode = ? AND superseded = 0 ORDER BY annotations.id",
      episodeId,
    );
    return rows.map((row) => jsonOf<Annotation>(row, "annotation"));
  }

  checkpoint(folder: string): Checkpoint {
    const row = this.#database.first("SELECT * FROM checkpoints WHERE folder = ?", folder);
    if (row === null)
      throw storeError("record-unknown", `expected a record of the checkpoint ${folder}, found none`);
    const files = jsonOf<readonly CheckpointFile[]>(row, "files");
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
      const step = stepOf(row);
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

  #appendCheckpoint(stepId: number, checkpoint: Checkpoint): void {
    this.#database.run(
      // The same folder is written again where a superseded step is repeated.
      "INSERT INTO checkpoints (folder, step, policy, bytes, files, digest) VALUES (?,?,?,?,?,?) ON CONFLICT (folder) DO UPDATE SET step = excluded.step, policy = excluded.policy, bytes = excluded.bytes, files = excluded.files, digest = excluded.digest",
      checkpoint.folder,
      stepId,
      checkpoint.policy,
      checkpoint.bytes,
      JSON.stringify(checkpoint.files),
      checkpoint.digest,
    );
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

function stepOf(row: Row): StoredStep {
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

function kindOf(text: string): StepKind {
  if (text === "model" || text === "step" || text === "end") return text;
  throw storeError("run-corrupt", `expected a kind of step, got ${text}`);
}
