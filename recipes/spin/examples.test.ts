import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom, type JsonObject } from "spar/base";
import { expectCode } from "spar/testing";
import { resolveOptions } from "spar/train";
import { afterAll, expect, test } from "vitest";
import { loadTask, type SpinTask } from "./examples.ts";
import { recipe } from "./recipe.ts";

const root = mkdtempSync(join(tmpdir(), "spar-spin-examples-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function load(
  name: string,
  records: readonly (readonly [string, string])[],
  overrides: JsonObject = {},
): Promise<SpinTask> {
  const data = join(root, `${name}.jsonl`);
  const lines = records.map(([prompt, answer]) => ({
    messages: [
      { role: "user", content: prompt },
      { role: "assistant", content: answer },
    ],
  }));
  writeFileSync(data, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const options = resolveOptions(recipe, "nano", { data, heldOutCount: 5, ...overrides });
  return loadTask(options, createRandom(1));
}

const repeat = (count: number, record: (index: number) => readonly [string, string]) =>
  Array.from({ length: count }, (_, index) => record(index));

test("where too few prompts are left, the records that repeat one are counted", async () => {
  const error = await expectCode(
    load(
      "one-prompt",
      repeat(40, () => ["say", "1"]),
    ),
    "too-few-examples",
  );
  expect(error.message).toMatch(/found 1, and 39 more records that repeat a prompt/);
});

test("of a base model that only the engine knows, the tokenizer is asked for", async () => {
  const named = { baseModel: "owner/name", template: "chat" };
  const records = repeat(10, (index) => [`say ${index}`, "1"] as const);
  const error = await expectCode(load("named", records, named), "tokenizer-not-found");
  expect(error.hint).toMatch(/tokenizerFolder/);
});

test("a prompt is cut only where it does not fit beside its answer", async () => {
  const sizes = { maxPromptTokens: 4, maxSequenceTokens: 10 };
  const short = await load(
    "short",
    repeat(10, (index) => [`abcdef${index}`, "12"]),
    sizes,
  );
  expect(short.training.map(({ promptIds }) => promptIds.length)).toEqual(Array(5).fill(7));
  const long = await load(
    "long",
    repeat(10, (index) => [`abcdef${index}`, "1234"]),
    sizes,
  );
  expect(long.training.map(({ promptIds }) => promptIds.length)).toEqual(Array(5).fill(4));
  expect([short.cutCount, long.cutCount]).toEqual([0, 10]);
});

test("references that no answer can reach are counted, the end marker included", async () => {
  const records = repeat(10, (index) => [`say ${index}`, "1".repeat(index)] as const);
  expect((await load("reach", records, { maxAnswerTokens: 6 })).tooLongCount).toBe(4);
});
