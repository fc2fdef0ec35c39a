/** What goes wrong on the engine's thread arrives with its code, its hint and its stack apart from the message. */
import { expect, test } from "vitest";
import { engineError } from "../../../contract/index.ts";
import { fromPlainError, toPlainError } from "./plain-error.ts";

const across = (thrown: unknown) => fromPlainError(structuredClone(toPlainError(thrown)));

test.each([
  ["ENOSPC", "disk-full"],
  ["EDQUOT", "disk-full"],
  ["EROFS", "store-read-only"],
  ["EACCES", "store-read-only"],
  ["EISDIR", "engine-failed"],
])("%s of the file system is %s", (systemCode, code) => {
  const error = across(Object.assign(new Error(`${systemCode}: write`), { code: systemCode }));
  expect(error.code).toBe(code);
  expect(error.message).toBe(`the embedded engine failed: ${systemCode}: write`);
  expect(error.hint === null).toBe(code === "engine-failed");
});

test.each([
  ["an array", () => new ArrayBuffer(2 ** 52)],
  ["a memory that is at its end", () => new WebAssembly.Memory({ initial: 1, maximum: 1 }).grow(1)],
])(
  "what the machine says when it gives no memory for %s is memory-exhausted, with what to do",
  (_what, take) => {
    let thrown: unknown;
    try {
      take();
    } catch (error) {
      thrown = error;
    }
    const error = across(thrown);
    expect([error.code, error.hint]).toEqual(["memory-exhausted", expect.stringContaining("smaller model")]);
    expect(across(new RangeError("Invalid time value")).code).toBe("engine-failed");
  },
);

test("an error of spar keeps what it says, and the stack is its cause", () => {
  const thrown = engineError("state-unreadable", "expected weights, found none", {
    hint: "save again",
    facts: { at: 3 },
  });
  const error = across(thrown);
  expect(error).toMatchObject({
    code: "state-unreadable",
    message: thrown.message,
    hint: "save again",
    facts: { at: 3 },
  });
  expect(error.cause).toBeInstanceOf(Error);
  expect(error.cause instanceof Error ? error.cause.stack : "").toContain("plain-error.test");
});

test("what is no error is told in words", () => {
  expect(across("out of luck").message).toBe("the embedded engine failed: out of luck");
});
