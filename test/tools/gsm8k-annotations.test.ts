import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { loadRecords } from "spar/data";
import { extractAnnotations } from "../../tools/gsm8k/annotations.ts";
import { evaluateInteger } from "../../tools/gsm8k/arithmetic.ts";

const folder = join(import.meta.dirname, "..", "..", "recipes", "spin", "data");
const path = join(folder, "gsm8k-annotations.jsonl");
const annotation = z.strictObject({
  expression: z.string(),
  answer: z.string(),
  split: z.enum(["test", "both"]).optional(),
  count: z.int().min(2).optional(),
});

describe("the shipped annotations", () => {
  test("are distinct, true, and as many as their README says", async () => {
    const rows = await loadRecords(path, annotation);
    expect(new Set(rows.map(({ expression }) => expression)).size).toBe(rows.length);
    expect(rows.filter(({ expression, answer }) => String(evaluateInteger(expression)) !== answer)).toEqual(
      [],
    );
    const inSplit = (split: string | undefined): number => rows.filter((row) => row.split === split).length;
    expect([rows.length, inSplit(undefined), inSplit("test"), inSplit("both")]).toEqual([
      9504, 8387, 432, 685,
    ]);
    expect(rows.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(22_528);
    const readme = await readFile(join(folder, "README.md"), "utf8");
    for (const number of ["9,504", "8,387", "432", "685", "22,528"]) expect(readme).toContain(number);
  });

  test("stay small and carry the licence of their source", async () => {
    expect((await stat(path)).size).toBeLessThan(500_000);
    expect(await readFile(join(folder, "LICENSE-GSM8K"), "utf8")).toContain("Copyright (c) 2021 OpenAI");
  });
});

describe("extraction", () => {
  const extract = (train: string[], test: string[] = []) => extractAnnotations({ train, test }).annotations;

  test("keeps whole-number arithmetic as it was written, once, with its count and splits", () => {
    expect(extract(["a <<2+3=5>>5 and <<2+3=5>>5, <<(4-2)*3=6>>6"], ["<<2+3=5>>5", "<<7-9=-2>>"])).toEqual([
      { expression: "2+3", answer: "5", split: "both", count: 3 },
      { expression: "(4-2)*3", answer: "6", split: "train", count: 1 },
      { expression: "7-9", answer: "-2", split: "test", count: 1 },
    ]);
  });

  test.each([
    "<<5=5>>",
    "<<-5=-5>>",
    "<<0.5*4=2>>",
    "<<5/2=2.5>>",
    "<<2+2=5>>",
    "<<1/0=0>>",
    "<<2+2=04>>",
    "<<1+1=2=2>>",
    "2+2=4",
  ])("leaves out %s", (text) => {
    expect(extract([text])).toEqual([]);
  });

  test("counts every annotation that it saw", () => {
    expect(extractAnnotations({ train: ["<<5=5>> <<1+1=2>>"], test: ["<<x>>"] }).seenCount).toBe(3);
  });
});

describe("the arithmetic", () => {
  test.each([
    ["2+3*4", 14n],
    ["100-50-30-15", 5n],
    ["24/4/2", 3n],
    ["16*(3/4)", 12n],
    ["7/11*44*11/4", 77n],
    ["-14+-8+1", -21n],
    ["-18/-2", 9n],
    ["5/2", null],
    ["1/(2-2)", null],
    ["(1+2", null],
    ["1+", null],
    ["1 + 2", null],
    ["", null],
  ])("gives %s the value %s", (expression, value) => {
    expect(evaluateInteger(expression)).toBe(value);
  });

  test("agrees with the language on sums, differences and products", () => {
    const number = fc.integer({ min: 0, max: 999 });
    fc.assert(
      fc.property(number, number, number, (a, b, c) => {
        expect(evaluateInteger(`${a}-${b}*${c}+(${a}-${c})*${b}`)).toBe(BigInt(a - b * c + (a - c) * b));
      }),
    );
  });
});
