/** Tells programs about a run: one JSON object per line on standard output, in order. */
import type { JsonObject } from "../../base/index.ts";
import type { Screen } from "../terminal/screen.ts";
import type { Presenter } from "./presenter.ts";

export function createJsonPresenter(screen: Screen): Presenter {
  const emit = (event: string, fields: object): void =>
    screen.print(JSON.stringify({ event, ...fields }, finite));
  return {
    header: (header) => emit("run-start", header),
    report: (event, isRepeated) => emit("report", { isRepeated, ...event }),
    stepStart: (name) => emit("step-start", { name }),
    stepEnd: (name, durationMs, isRepeated) => emit("step-end", { name, durationMs, isRepeated }),
    metric: (metric) => emit("metric", metric),
    progress: () => ({ advance: () => undefined, end: () => undefined }),
    summary: ({ result, elapsedMs, folder }) =>
      emit("run-end", { result, elapsedMs, folder } satisfies JsonObject),
    end: () => undefined,
  };
}

/** JSON has no NaN and no infinities: they become text, which is better than a silent null. */
function finite(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
