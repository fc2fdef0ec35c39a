import { expect, test } from "vitest";
import { nearestName, suggestName } from "./nearest-name.ts";

const known = ["iterationCount", "learningRates", "betas"];

test("a slip of the finger finds its name, whatever the case", () => {
  expect(nearestName("iteratonCount", known)).toBe("iterationCount");
  expect(nearestName("BETAS", known)).toBe("betas");
  expect(suggestName("beta", known)).toBe(`did you mean "betas"? known: ${known.join(", ")}`);
});

test("what is like nothing is not guessed at, and the list is given", () => {
  expect(nearestName("temperature", known)).toBeNull();
  expect(suggestName("temperature", known)).toBe(`known: ${known.join(", ")}`);
  expect(suggestName("x", [])).toBe("none are known");
});

test("the only name that begins with what was typed is meant", () => {
  expect(nearestName("kuhn", ["tic-tac-toe", "kuhn-poker", "leduc-poker"])).toBe("kuhn-poker");
  expect(nearestName("ku", ["tic-tac-toe", "kuhn-poker"])).toBeNull();
  expect(nearestName("poker", ["poker-of-two", "poker-of-three"])).toBeNull();
});

test("a long list of names does not bury the nearest", () => {
  const many = Array.from({ length: 60 }, (_, index) => `option${index}`);
  expect(suggestName("updatecount", ["updateCount", ...many])).toBe('did you mean "updateCount"?');
  expect(suggestName("nothing like it", many)).toContain("option59");
});
