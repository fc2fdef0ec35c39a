import { expect, test } from "vitest";
import { outcomeText } from "./match-outcome.ts";

test("outcomes of matches are told in words, with control characters as escapes", () => {
  const outcome = {
    returns: { first: -2, second: 0.5 },
    forfeitedBy: "first",
    how: "unreadable\u001b reply",
  };
  expect(outcomeText(outcome)).toBe("first -2, second +0.5: unreadable\\u001b reply");
});

test.each([null, "19", { returns: { first: "1" }, how: "?" }, { returns: { first: 1 } }, [1]])(
  "anything else is JSON: %j",
  (outcome) => {
    expect(outcomeText(outcome)).toBe(JSON.stringify(outcome));
  },
);
