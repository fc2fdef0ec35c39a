/** Tells programs about a run: one JSON object per line on standard output, in order. */
import type { Screen } from "../terminal/screen.ts";
import type { Presenter, RunHeader } from "./presenter.ts";

export function createJsonPresenter(screen: Screen): Presenter {
  const emit = (fields: object): void => screen.print(JSON.stringify(fields, finite));
  let pendingHeader: RunHeader | null = null;
  return {
    header: (header) => void (pendingHeader = header),
    observe: (event) => {
      if (event.kind === "run-start" && pendingHeader !== null) emit({ kind: "header", ...pendingHeader });
      // How far something is changes many times a second, and is no result.
      if (!event.kind.startsWith("progress-")) emit(event);
    },
    summary: ({ result, elapsedMs, folder }) => emit({ kind: "summary", result, elapsedMs, folder }),
    end: () => undefined,
  };
}

/** JSON has no NaN and no infinities: they become text, which is better than a silent null. */
function finite(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
