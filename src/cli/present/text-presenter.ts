/** Shows a run to people: header, tables that grow, charts, notes, progress, and what to do next. */
import type { Clock, JsonObject, JsonValue } from "../../base/index.ts";
import type { RunEvent } from "../../train/index.ts";
import { shownPath } from "../shown-path.ts";
import { countOf, formatDuration } from "../terminal/format.ts";
import type { Screen } from "../terminal/screen.ts";
import { formatTable } from "../terminal/table.ts";
import { manyLines, oneLine } from "../terminal/text.ts";
import type { Presenter, RunHeader, RunSummary } from "./presenter.ts";
import { createProgressDisplay } from "./progress-display.ts";
import { createReportWriter } from "./report-writer.ts";

export interface TextPresenterOptions {
  readonly screen: Screen;
  readonly clock: Clock;
  readonly isQuiet: boolean;
  /** Paths below it are shown relative to it. */
  readonly workingFolder: string;
}

const redrawEveryMs = 200;

type RunStart = Extract<RunEvent, { kind: "run-start" }>;

export function createTextPresenter(options: TextPresenterOptions): Presenter {
  const { screen } = options;
  const display = createProgressDisplay(options);
  const timer = setInterval(() => display.tick(), redrawEveryMs);
  timer.unref();
  const reports = createReportWriter(screen);
  let pendingHeader: RunHeader | null = null;

  return {
    header: (header) => void (pendingHeader = header),
    observe: (event) => {
      display.observe(event);
      if (event.kind === "run-start") {
        if (pendingHeader !== null) screen.print(...headerLines(pendingHeader, event, options));
        screen.notice(...resumeLines(event));
      } else if (event.kind === "report") reports.write(event.event);
      else if (event.kind === "notice") screen.notice(manyLines(event.text));
    },
    summary: (summary) => {
      display.end();
      reports.flush();
      screen.print(...summaryLines(summary, options));
    },
    end: () => {
      clearInterval(timer);
      reports.flush();
      display.end();
    },
  };
}

function headerLines(
  header: RunHeader,
  start: RunStart,
  { screen, workingFolder }: TextPresenterOptions,
): string[] {
  const rows = [
    ["recipe", header.recipe],
    ["preset", header.preset],
    ["engine", `${header.engine}, ${countOf(header.threadCount, "thread")}`],
    ["seed", String(header.seed)],
    ["folder", shownPath(start.folder, workingFolder)],
  ];
  // Never cut: whoever needs the folder needs all of it.
  const [, ...lines] = formatTable([{ name: "" }, { name: "" }], rows);
  return [screen.style.heading(oneLine(header.title)), ...lines];
}

function resumeLines(start: RunStart): string[] {
  if (start.committedStepCount === 0) return [];
  const repeated = start.repeatedSteps.map(oneLine).join(", ");
  return [
    `resumed after ${countOf(start.committedStepCount, "finished step")}; what they told follows again`,
    ...(repeated === "" ? [] : [`repeated, since their models were not saved: ${repeated}`]),
  ];
}

function summaryLines(summary: RunSummary, { screen, workingFolder }: TextPresenterOptions): string[] {
  const { style } = screen;
  const result = resultLines(summary.result, screen.maximumWidth);
  const folder = shownPath(summary.folder, workingFolder);
  return [
    "",
    ...(result.length === 0 ? [] : [style.heading("Result"), ...result, ""]),
    `done in ${formatDuration(summary.elapsedMs)}; everything is in ${folder}`,
    ...(summary.next.length === 0
      ? []
      : ["next:", ...summary.next.map((command) => `  ${style.command(command)}`)]),
  ];
}

/**
 * A flat object as a table, a list or scalar as JSON. A nested one is for programs: the recipe has
 * reported what people shall see, `--json` and the run folder have the rest.
 */
function resultLines(result: JsonValue, maximumWidth: number): string[] {
  if (result === null) return [];
  if (!isObject(result)) return [manyLines(JSON.stringify(result))];
  if (Object.values(result).some((value) => isObject(value) && !isVersion(value))) return [];
  const rows = Object.entries(result).map(([name, value]) => [name, resultText(value)]);
  return formatTable([{ name: "" }, { name: "" }], rows, maximumWidth).slice(1);
}

function resultText(value: JsonValue): string {
  if (typeof value === "string") return value;
  if (!isObject(value) || !isVersion(value)) return JSON.stringify(value);
  const { modelId, number } = value;
  return `${modelId} version ${number}`;
}

interface VersionLike extends JsonObject {
  readonly modelId: string;
  readonly number: number;
  readonly address: string;
}

function isVersion(value: JsonObject): value is VersionLike {
  const { modelId, number, address } = value;
  return typeof modelId === "string" && typeof number === "number" && typeof address === "string";
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
