import { expect, test } from "vitest";
import { finalNumber, isRightAnswer } from "./right-answer.ts";

test.each<[string, number | null]>([
  ["Natalia sold 48+24 = 72 clips.\n#### 72", 72],
  ["so the answer is $1,234.50.", 1234.5],
  ["She has 3,4 and 5", 5],
  ["it fell to -12 degrees", -12],
  ["that makes 20-8", 8],
  ["The answer is 007", 7],
  ["nobody knows", null],
  ["", null],
])("the final number of %j is %j", (text, number) => {
  expect(finalNumber(text)).toBe(number);
});

test("a solution is right where it ends in the number of the reference, an exact answer where all ids are equal", () => {
  const example = { answer: "4 and 3 are 7\n#### 7", answerIds: [5, 6] };
  const long = { tokenIds: [9, 9, 9], text: "We have 4 + 3 = 7.0" };
  expect(isRightAnswer("final-number", example, long)).toBe(true);
  expect(isRightAnswer("final-number", example, { ...long, text: "7 is more than 4" })).toBe(false);
  expect(isRightAnswer("final-number", { ...example, answer: "none" }, { ...long, text: "none" })).toBe(
    false,
  );
  expect(isRightAnswer("exact", example, long)).toBe(false);
  expect(isRightAnswer("exact", example, { tokenIds: [5, 6], text: "" })).toBe(true);
  expect(isRightAnswer("exact", example, { tokenIds: [5], text: "" })).toBe(false);
});
