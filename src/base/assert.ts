/**
 * Assertions for broken invariants: mistakes of the programmer, never of the user or of the world.
 * Those are `SparError`s.
 */

/** Stops when a condition that must hold does not. Where it is checked very often, the message is made when needed. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === "string" ? message : message());
}

/** A value that must be there: `T` without null and undefined. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new AssertionError(`expected ${what}, found none`);
  return value;
}

/** The end of an exhaustive switch; a new member of the union makes this a type error. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable case: ${JSON.stringify(value)}`);
}

export class AssertionError extends Error {
  override readonly name = "AssertionError";
}
