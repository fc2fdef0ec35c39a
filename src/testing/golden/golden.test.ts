import { readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { expectDifferent } from "../expect-golden.ts";
import { tolerances } from "../tolerances.ts";
import { goldenTexts, lossVectors, optimizerVectors } from "./index.ts";

const folder = new URL("../../../protocol/golden/", import.meta.url);

describe("protocol/golden", () => {
  test("holds exactly the files that the tool makes", async () => {
    expect((await readdir(folder)).toSorted()).toEqual([...goldenTexts().keys()].toSorted());
  });

  for (const [name, text] of goldenTexts()) {
    test(`${name} is what the references give today (npm run golden)`, async () => {
      expect(await readFile(new URL(name, folder), "utf8")).toBe(text);
    });
  }

  test("every number is finite and every name unique", async () => {
    for (const [name, text] of goldenTexts()) {
      expect(text, name).not.toMatch(/null|NaN|Infinity/);
      const { cases } = JSON.parse(text) as { cases: { name: string }[] };
      expect(new Set(cases.map((entry) => entry.name)).size, name).toBe(cases.length);
    }
  });
});

test("settings tell the vectors apart: no two losses or optimizers have the same outputs", () => {
  // Batch 0 reaches every clip; the random ones may stay inside.
  const losses = lossVectors().cases.filter((entry) => entry.name.endsWith("batch 0"));
  for (const cases of [losses, optimizerVectors().cases]) {
    cases.forEach((first, index) => {
      for (const second of cases.slice(index + 1)) {
        expectDifferent(
          numbersOf(first.outputs),
          numbersOf(second.outputs),
          tolerances.float64,
          `${first.name} and ${second.name}`,
        );
      }
    });
  }
});

function numbersOf(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersOf) : [];
}
