/** What is asked of the sandbox: a program, a query put to it, limits, and the seed of the surroundings. */
import { SparError } from "../../base/index.ts";

/** Nothing to ask: the program alone is run, and its value is None. */
export type PythonQuery =
  | null
  /** An expression, evaluated where the program was executed. */
  | string
  | {
      /** A name that the program defines. */
      readonly call: string;
      /** What stands between the parentheses: `4, key="a"`. Parsed as an argument list, so `5) or (True` is refused. */
      readonly arguments: string;
      /**
       * `data`: literals, operators, comprehensions and calls of harmless builtins and of classes of the program alone, so that an
       * answer cannot change the program that judges it. Default `any`: whatever an expression can do.
       */
      readonly mode?: "data" | "any";
    };

export interface PythonLimits {
  /** Time on the processor, from the parsing of the program to the last byte of its value. Default 10 s. */
  readonly timeMs?: number;
  /** Beyond what the interpreter itself holds. Default 256 MiB. */
  readonly memoryBytes?: number;
  /** Of what it prints, and again of the value that it returns. Default 1 MiB. */
  readonly outputBytes?: number;
}

export interface PythonRequest {
  readonly program: string;
  readonly query?: PythonQuery;
  readonly limits?: PythonLimits;
  /** Clock, random numbers, the order of hashes and addresses follow from it. Default 0. */
  readonly environmentSeed?: number;
}

export interface ResolvedLimits {
  readonly timeMs: number;
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

/** A program and its query together. @unit characters */
export const longestProgram = 1_048_576;
const mebibyte = 1_048_576;

/** Hash seeds are chosen when an interpreter starts, so there are two to choose from. */
export function hashSeedOf(environmentSeed: number): 1 | 2 {
  return environmentSeed % 2 === 0 ? 1 : 2;
}

/** @throws `invalid-limits` */
export function resolveLimits(limits: PythonLimits = {}): ResolvedLimits {
  const { timeMs = 10_000, memoryBytes = 256 * mebibyte, outputBytes = mebibyte } = limits;
  check("timeMs", timeMs, [1, 3_600_000]);
  check("memoryBytes", memoryBytes, [mebibyte, 2048 * mebibyte]);
  check("outputBytes", outputBytes, [16, 16 * mebibyte]);
  return { timeMs, memoryBytes, outputBytes };
}

function check(name: string, value: number, [least, most]: readonly [number, number]): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new SparError({
    code: "invalid-limits",
    boundary: "verifier",
    message: `${name}: expected an integer from ${least} to ${most}, got ${value}`,
  });
}

/** @throws `invalid-request` */
export function checkSeed(environmentSeed: number): void {
  if (Number.isSafeInteger(environmentSeed) && environmentSeed >= 0) return;
  throw new SparError({
    code: "invalid-request",
    boundary: "verifier",
    message: `environmentSeed: expected an integer from 0 on, got ${environmentSeed}`,
  });
}
