import { expect, test } from "vitest";
import { isSparError, messageOf, SparError, toSparError } from "./errors.ts";

test("the first boundary that saw an error is the one that it keeps", () => {
  const first = new SparError({ code: "engine-failed", boundary: "engine", message: "no answer" });
  expect(toSparError(first, { code: "step-failed", boundary: "recipe", message: "later" })).toBe(first);
  const cause = new RangeError("plain");
  const typed = toSparError(cause, { code: "step-failed", boundary: "recipe", message: "step failed" });
  expect(typed).toMatchObject({
    code: "step-failed",
    boundary: "recipe",
    cause,
    retryable: false,
    hint: null,
  });
});

test("an error of another copy of the package is recognised, other things are not", () => {
  expect(isSparError({ isSparError: true, code: "x" })).toBe(true);
  for (const other of [null, undefined, "text", new Error("plain"), {}])
    expect(isSparError(other)).toBe(false);
  expect([messageOf(new Error("words")), messageOf("text"), messageOf(null)]).toEqual([
    "words",
    "text",
    "null",
  ]);
});
