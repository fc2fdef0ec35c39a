import { describe, expect, test } from "vitest";
import { z } from "zod";
import { isSparError } from "../../base/index.ts";
import { parseSetOptions } from "./set-option.ts";

const schema = z.strictObject({
  data: z.string().default("shipped").describe("where prompts come from"),
  temperature: z.number().nonnegative().default(1),
  updateCount: z.int().positive().default(10),
  timeoutMs: z.number().positive().default(1000),
  window: z.union([z.literal(1), z.literal(2)]).default(1),
  controls: z.boolean().default(true),
  loss: z.enum(["logistic", "hinge"]).default("logistic"),
  betas: z.array(z.number()).default([1]),
  rates: z.array(z.number().positive()).min(1).default([1]),
  operators: z.array(z.enum(["+", "-"])).default(["+"]),
  names: z.array(z.string()).default([]),
  counts: z.array(z.int().nonnegative()).default([]),
  warmUp: z.strictObject({ rows: z.int().default(64), learningRate: z.number().default(1e-3) }).prefault({}),
});

function refusal(...assignments: string[]): { message: string; hint: string | null; code: string } {
  try {
    parseSetOptions(assignments, schema);
  } catch (thrown) {
    if (isSparError(thrown)) return { message: thrown.message, hint: thrown.hint, code: thrown.code };
  }
  throw new Error(`${assignments.join(" ")} was accepted`);
}

describe("--set", () => {
  test("values are read as the type of the option wants them", () => {
    const assignments = [
      "data=1234",
      "temperature=.7",
      "updateCount=12",
      "window=2",
      "controls=false",
      "loss=hinge",
      "betas=[0.1, 5]",
    ];
    expect(parseSetOptions(assignments, schema)).toEqual({
      data: "1234",
      temperature: 0.7,
      updateCount: 12,
      window: 2,
      controls: false,
      loss: "hinge",
      betas: [0.1, 5],
    });
  });

  test("dotted names reach into groups without touching their other members", () => {
    expect(parseSetOptions(["warmUp.rows=8", "warmUp.learningRate=1e-4"], schema)).toEqual({
      warmUp: { rows: 8, learningRate: 1e-4 },
    });
  });

  test("a value may hold equals signs", () => {
    expect(parseSetOptions(["data=a=b"], schema)).toEqual({ data: "a=b" });
  });

  const cases: readonly (readonly [string, RegExp, RegExp])[] = [
    ["temperature", /expects key=value, got "temperature"/u, /--set temperature=0\.7/u],
    ["=3", /expects key=value/u, /--set/u],
    ["temprature=1", /no option "temprature"/u, /did you mean "temperature"\?/u],
    ["warmUp=3", /"warmUp" is a group/u, /warmUp\.rows, warmUp\.learningRate/u],
    ["temperature=hot", /expected a number at least 0, got "hot"/u, /./u],
    ["temperature=-1", /expected a number at least 0, got "-1"/u, /./u],
    ["temperature=", /expected a number at least 0, got ""/u, /./u],
    ["updateCount=1.5", /expected a whole number above 0, got "1\.5"/u, /in updates/u],
    ["timeoutMs=5s", /expected a number above 0, got "5s"/u, /in milliseconds: give a plain number/u],
    ["controls=maybe", /expected true or false, got "maybe"/u, /./u],
    ["loss=hing", /expected one of "logistic", "hinge", got "hing"/u, /./u],
    ["window=3", /expected 1 or 2, got "3"/u, /./u],
    ["betas=0.1", /expected a list of numbers in JSON, such as \[1, 2\], got "0\.1"/u, /./u],
    ["rates=[0]", /expected a list of numbers above 0 in JSON and at least 1 long, .* got "\[0\]"/u, /./u],
    ["rates=[]", /at least 1 long, such as \[1, 2\], got "\[\]"/u, /./u],
    ['operators=["^"]', /expected a list of "\+", "-" in JSON, such as \["\+"\], got/u, /./u],
    ["names=a", /expected a list of texts in JSON, such as \["a", "b"\], got "a"/u, /./u],
    ["counts=[0.5]", /expected a list of whole numbers at least 0 in JSON/u, /./u],
  ];
  for (const [assignment, message, hint] of cases) {
    test(`refuses ${assignment}`, () => {
      const refused = refusal(assignment);
      expect(refused.message).toMatch(message);
      expect(refused.hint).toMatch(hint);
      expect(["invalid-option", "unknown-option"]).toContain(refused.code);
    });
  }

  test("refuses the same option twice", () => {
    expect(refusal("temperature=1", "temperature=2").message).toMatch(/given twice/u);
  });
});
