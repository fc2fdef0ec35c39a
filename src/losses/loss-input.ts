/** What losses need of their rows beyond what an engine checks, and how they refuse what is missing. */
import { SparError } from "../base/index.ts";
import type { Datum, DatumConstant } from "../contract/index.ts";

/** A row that a loss cannot read. */
export function lossInputError(message: string, hint?: string): SparError {
  return new SparError({
    code: "invalid-input",
    boundary: "recipe",
    message,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A constant of a row that must be there. @throws `invalid-input` */
export function constantOf(datum: Datum, name: string, row: number): DatumConstant {
  const constant = datum.constants?.[name];
  if (constant === undefined) {
    throw lossInputError(
      `row ${row}: expected a constant ${name}, got none`,
      `set constants.${name} when the row is built`,
    );
  }
  return constant;
}

/** A constant that is one number for the whole row. @throws `invalid-input` */
export function numberOf(datum: Datum, name: string, row: number): number {
  const constant = constantOf(datum, name, row);
  if (typeof constant !== "number")
    throw lossInputError(`row ${row}: expected one number as constant ${name}, got an array`);
  return constant;
}

/** A constant that has a number per target. @throws `invalid-input` */
export function arrayOf(datum: Datum, name: string, row: number): Float32Array {
  const constant = constantOf(datum, name, row);
  if (typeof constant === "number")
    throw lossInputError(`row ${row}: expected a number per target as constant ${name}, got one number`);
  return constant;
}
