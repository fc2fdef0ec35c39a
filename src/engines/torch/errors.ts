/** What goes wrong with the worker's process, with the last lines of its log and what to do. */
import type { SparError } from "../../base/index.ts";
import { engineError } from "../../contract/index.ts";

export const installCommand = "spar engine install torch";

const shownLines = 8;
const longestLine = 300;

/** The last lines of a log, for a message. */
export function lastLines(log: string): string {
  const lines = log.trimEnd().split("\n").slice(-shownLines);
  return lines.map((line) => `  ${line.slice(0, longestLine)}`).join("\n");
}

export function notInstalled(): SparError {
  return engineError(
    "package-missing",
    "engine torch needs Python with PyTorch, which is not installed yet",
    {
      hint: `${installCommand} installs it, or SPAR_PYTHON names a Python that has it`,
    },
  );
}

export function pythonMissing(python: string, why: string): SparError {
  return engineError("package-missing", `expected a Python at ${python}: ${why}`, {
    hint: `${installCommand} installs one, or SPAR_PYTHON names another`,
  });
}

/** The process ended before it listened. */
export function didNotStart(how: string, log: string, python: string): SparError {
  const [, module] = /No module named '([\w.]+)'/u.exec(log) ?? [];
  const message = `the PyTorch worker ended with ${how} before it listened; its last lines:\n${lastLines(log)}`;
  if (module !== undefined) {
    return engineError("package-missing", message, {
      hint: `${python} lacks ${module}: ${installCommand} makes a Python that has everything`,
    });
  }
  return engineError("engine-failed", message);
}

/** It neither listened nor ended in time. */
export function didNotListen(timeoutMs: number, log: string): SparError {
  const seconds = Math.round(timeoutMs / 1000);
  return engineError(
    "deadline-exceeded",
    `the PyTorch worker did not listen within ${seconds} s; ${said(log)}`,
    {
      hint: "give it more time: --engine-set startSeconds=900",
      retryable: true,
      facts: { timeoutMs },
    },
  );
}

/** The process ended while it was used. */
export function workerLost(how: string, log: string): SparError {
  return engineError("engine-lost", `the PyTorch worker ended with ${how}; ${said(log)}`, {
    hint: "a run goes on from its last checkpoint: spar resume; where this repeats, there may be too little memory",
    retryable: true,
  });
}

/** How a process ended, in words. */
export function endInWords(code: number | null, signal: string | null): string {
  return signal === null ? `code ${code}` : `the signal ${signal}`;
}

function said(log: string): string {
  return log.trim() === "" ? "it said nothing" : `its last lines:\n${lastLines(log)}`;
}
