import fc from "fast-check";
import { expect, test } from "vitest";
import { choicesOf, readChoice } from "./legal-choices.ts";

const poker = choicesOf([
  { action: 0, text: "Fold" },
  { action: 1, text: "Call" },
  { action: 2, text: "Raise 1" },
  { action: 3, text: "Raise 10" },
]);

test.each([
  ["Call", 1],
  [" call\n", 1],
  ["I call: Call.", 1],
  ["Raise 10", 3],
  ["I will Raise 10, no less", 3],
  ["Raise 100", null],
  ["Recall", null],
  ["Call or Fold", null],
  ["", null],
])("the reply %j means %j", (reply, action) => {
  expect(readChoice(reply, poker)).toBe(action);
});

test("actions with equal words are told apart by their numbers", () => {
  const choices = choicesOf([
    { action: 3, text: "Roll " },
    { action: 5, text: "Roll" },
    { action: 8, text: "" },
    { action: 9, text: "Hold" },
  ]);
  expect(choices.map(({ text }) => text)).toEqual(["Roll #3", "Roll #5", "#8", "Hold"]);
  expect(readChoice("Roll", choices)).toBeNull();
});

test("every choice is read as itself, whatever the words", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 4 }), { minLength: 1, maxLength: 8 }), (words) => {
      const choices = choicesOf(words.map((text, action) => ({ action, text })));
      const texts = choices.map(({ text }) => text);
      fc.pre(new Set(texts).size === texts.length);
      for (const { action, text } of choices) expect(readChoice(text, choices)).toBe(action);
    }),
  );
});
