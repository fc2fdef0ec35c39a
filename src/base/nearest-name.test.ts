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
