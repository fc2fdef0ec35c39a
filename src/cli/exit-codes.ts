/**
 * Exit codes: what a script learns from how spar ended. One table, from which `spar help exit-codes`,
 * the mapping of errors and the documentation's test are made.
 */
import type { Boundary } from "../base/index.ts";

export interface ExitCode {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
}

export const exitCodes = {
  ok: { code: 0, name: "ok", meaning: "everything that was asked for was done" },
  failed: {
    code: 1,
    name: "failed",
    meaning: "the run failed, or spar itself did; finished steps and turns are kept",
  },
  usage: {
    code: 2,
    name: "usage",
    meaning: "the command was not understood: unknown recipe, preset, option or engine, or a wrong value",
  },
  input: {
    code: 3,
    name: "input",
    meaning:
      "something that was read is missing or wrong: a data file, a recipe file, a folder that is not a run",
  },
  environment: {
    code: 4,
    name: "environment",
    meaning: "an engine, capability, package or version that is needed is not there; spar doctor tells more",
  },
  storage: {
    code: 5,
    name: "storage",
    meaning: "something could not be written: full disk, no permission, a run that another process holds",
  },
  hangUp: {
    code: 129,
    name: "hang-up",
    meaning: "the terminal went away; finished turns are kept, resume the run",
  },
  interrupted: { code: 130, name: "interrupted", meaning: "ctrl-C; finished turns are kept, resume the run" },
  closedPipe: { code: 141, name: "closed-pipe", meaning: "whoever read the output closed it, as head does" },
  terminated: {
    code: 143,
    name: "terminated",
    meaning: "the process was told to end; finished turns are kept",
  },
} as const satisfies Record<string, ExitCode>;

export type ExitName = keyof typeof exitCodes;

/** Error codes whose exit code differs from that of their boundary. */
const byCode: Readonly<Record<string, ExitName>> = {
  aborted: "interrupted",
  "capability-missing": "environment",
  "engine-unavailable": "environment",
  "package-missing": "environment",
  "python-missing": "environment",
  "game-unsupported": "environment",
  "requirements-missing": "environment",
  "file-missing": "input",
  "module-unreadable": "input",
  "not-a-recipe": "input",
  "not-an-engine": "input",
  "not-a-game": "input",
  "inputs-missing": "input",
  "not-a-run": "input",
  "run-too-new": "input",
  "run-too-old": "input",
  "run-corrupt": "input",
  "run-unreadable": "input",
  "data-changed": "input",
  "record-unknown": "input",
  "run-exists": "usage",
  "run-changed": "usage",
  "engine-changed": "usage",
  "invalid-option": "usage",
  "unknown-option": "usage",
  "unknown-preset": "usage",
  "unknown-game": "usage",
  "no-data": "input",
  "input-closed": "input",
  "game-not-played": "input",
  "remote-address": "usage",
  "remote-unauthorized": "environment",
  "remote-not-found": "environment",
  "remote-unreachable": "environment",
  "run-busy": "storage",
  "disk-full": "storage",
  "store-read-only": "storage",
  "disk-failed": "storage",
};

/** What the boundary of an error says about it, where its code says nothing. */
const byBoundary: Readonly<Record<Boundary, ExitName>> = {
  command: "usage",
  data: "input",
  text: "input",
  engine: "failed",
  worker: "failed",
  verifier: "failed",
  service: "failed",
  player: "failed",
  game: "failed",
  store: "failed",
  recipe: "failed",
  protocol: "failed",
};

export interface ErrorIdentity {
  readonly code: string;
  readonly boundary: Boundary;
}

/** The exit that an error of spar leads to. */
export function exitOfError(error: ErrorIdentity): ExitName {
  return byCode[error.code] ?? byBoundary[error.boundary];
}
