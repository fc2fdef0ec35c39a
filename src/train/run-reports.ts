/**
 * Notes, tables and charts of a recipe, collected until the step that they belong to commits. What
 * the code between steps tells is shown at once, since that code runs again on resume; what the body
 * of a step tells is shown when it commits, and from the record afterwards.
 */
import type { StoredReport } from "../store/index.ts";
import { parseJson, type JsonValue } from "../base/index.ts";
import { tell, type RunObserver } from "./observer.ts";
import type { Cell, Report, ReportEvent, ReportTable, TableColumn } from "./report.ts";

export class RunReports implements Report {
  readonly #observer: RunObserver | undefined;
  #stepName: string | null = null;
  #tablesBetween = 0;
  #tablesInside = 0;
  #before: ReportEvent[] = [];
  #inside: ReportEvent[] = [];

  constructor(observer: RunObserver | undefined) {
    this.#observer = observer;
  }

  note(text: string): void {
    this.#add({ kind: "note", text });
  }

  table(title: string, columns: readonly TableColumn[]): ReportTable {
    // Numbered apart: a resumed run does not run the bodies of committed steps.
    const table =
      this.#stepName === null ? `run/${this.#tablesBetween++}` : `${this.#stepName}/${this.#tablesInside++}`;
    this.#add({ kind: "table-start", table, title, columns });
    return { row: (...cells: readonly Cell[]) => this.#add({ kind: "table-row", table, cells }) };
  }

  chart(options: Omit<Extract<ReportEvent, { kind: "chart" }>, "kind">): void {
    this.#add({ kind: "chart", ...options });
  }

  /** From here on, reports belong to the body of a step. */
  enter(stepName: string): void {
    this.#stepName = stepName;
    this.#tablesInside = 0;
  }

  /** What the step and the code before it told, for its commit. */
  collected(): StoredReport[] {
    return [
      ...this.#before.map((event) => ({ place: "before" as const, event: toJson(event) })),
      ...this.#inside.map((event) => ({ place: "inside" as const, event: toJson(event) })),
    ];
  }

  /** The step committed: show what its body told. */
  committed(): void {
    for (const event of this.#inside) this.#show(event, false);
    this.leave();
  }

  /** The step was committed before: what the code before it told is in the record already. */
  replayed(reports: readonly StoredReport[]): void {
    for (const { place, event } of reports) if (place === "inside") this.#show(fromJson(event), true);
    this.leave();
  }

  /** The step ended in whatever way. */
  leave(): void {
    this.#stepName = null;
    this.#before = [];
    this.#inside = [];
  }

  #add(event: ReportEvent): void {
    if (this.#stepName !== null) {
      this.#inside.push(event);
      return;
    }
    this.#before.push(event);
    this.#show(event, false);
  }

  #show(event: ReportEvent, isReplayed: boolean): void {
    tell(this.#observer, { kind: "report", event, isReplayed });
  }
}

/** JSON has no NaN: a cell or a point without a number is null. */
function toJson(event: ReportEvent): JsonValue {
  return parseJson(JSON.stringify(event));
}

function fromJson(event: JsonValue): ReportEvent {
  // What `toJson` of this file stored.
  return event as unknown as ReportEvent;
}
