/** Expects a typed failure: a promise that rejects with a `SparError` of one code. */
import { expect } from "vitest";
import { isSparError, messageOf, type SparError } from "../base/index.ts";

/** Requires that the promise rejects with this code; gives the error for further questions. */
export async function expectCode(promise: Promise<unknown>, code: string): Promise<SparError> {
  const thrown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!isSparError(thrown)) {
    expect.fail(
      `expected an error with code ${code}, got ${thrown === null ? "an answer" : messageOf(thrown)}`,
    );
  }
  expect(thrown.code, thrown.message).toBe(code);
  return thrown;
}
