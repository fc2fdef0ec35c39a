/**
 * Programs that want out, or to bring down what runs them, each a file of `escapes` with what should become of it. Used by the
 * proof at start-up and by tests. A program of one's own is tried the same way. Knows no backend.
 */
import { readdirSync, readFileSync } from "node:fs";
import { incomparableIn } from "./equality.ts";
import { explainExecution, type PythonExecution } from "./execution.ts";
import type { PythonRequest } from "./request.ts";
import { showValue } from "./show-value.ts";

export interface Escape {
  readonly name: string;
  /** What it tries. */
  readonly what: string;
  readonly request: PythonRequest;
  /** Any of these is right: `exception OSError ValueError`, `limit time`, `value 5`, `value opaque`, `value *`. */
  readonly expected: readonly string[];
  /** Whether it is tried each time a sandbox opens: it is quick, and stands for its kind. */
  readonly isProof: boolean;
}

/** In the order of their names. */
export function readEscapes(): Escape[] {
  const folder = new URL("escapes/", import.meta.url);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".py"))
    .toSorted()
    .map((file) => parseEscape(file.slice(0, -".py".length), readFileSync(new URL(file, folder), "utf8")));
}

function parseEscape(name: string, text: string): Escape {
  const head = text.split("\n").filter((line) => line.startsWith("# "));
  const told = (key: string): string[] =>
    head.filter((line) => line.startsWith(`# ${key}: `)).map((line) => line.slice(key.length + 4));
  const [limits = ""] = told("limits");
  const [query] = told("query");
  const [call = "", ...rest] = query?.split(" <- ") ?? [];
  return {
    name,
    what: head[0]?.slice(2) ?? "",
    request: {
      program: text,
      query: rest.length > 0 ? { call, arguments: rest.join(" <- "), mode: "data" } : (query ?? null),
      limits: Object.fromEntries(
        [...limits.matchAll(/(\w+)=(\d+)/gu)].map(([, key = "", value]) => [key, Number(value)]),
      ),
    },
    expected: told("expect"),
    isProof: head.includes("# proof"),
  };
}

/** Null where it is as expected; else what came instead. */
export function judgeEscape({ expected }: Escape, execution: PythonExecution): string | null {
  const isExpected = expected.some((one) => {
    const [kind, ...words] = one.split(" ");
    if (kind !== execution.kind) return false;
    if (words[0] === "*") return true;
    switch (execution.kind) {
      case "exception":
        return words.includes(execution.name);
      case "limit":
        return words.includes(execution.limit);
      case "value":
        return words[0] === "opaque" || words[0] === "cycle"
          ? incomparableIn(execution.value) !== null
          : showValue(execution.value) === words.join(" ");
      case "error":
        return false;
    }
  });
  return isExpected ? null : `expected ${expected.join(" or ")}, ${explainExecution(execution)}`;
}
