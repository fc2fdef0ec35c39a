import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  gatheredName,
  gatherPairs,
  openPairShard,
  readPairs,
  readPrompts,
  shardCount,
  shardName,
  shardRange,
  stepsPerEpoch,
  writePairsParquet,
  type Exchange,
  type Pair,
} from "./index.ts";

const fixtures = join(import.meta.dirname, "fixtures");
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "spar-pairs-"));
});
afterEach(async () => rm(folder, { recursive: true }));

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

const published: Pair[] = [
  { system: null, prompt: "What is 2+2?", real: "4, as “two and two” make four ✓", generated: "5" },
  { system: null, prompt: "Name a colour", real: "Red\nor blue", generated: "" },
  { system: null, prompt: "Empty?", real: "No", generated: " Yes " },
];

describe("pair records", () => {
  test.each(["pairs-content-role.parquet", "pairs-role-content.parquet"])(
    "load from a file of the authors' layout: %s",
    async (name) => {
      expect(await all(readPairs(join(fixtures, name)))).toEqual(published);
    },
  );

  test("come back from parquet and from JSON Lines as they were, whatever the texts", async () => {
    const text = fc.string({ unit: "grapheme" });
    const prompt = fc.string({ unit: "grapheme", minLength: 1 });
    const pair = fc.record({ system: fc.option(text), prompt, real: text, generated: text });
    await fc.assert(
      fc.asyncProperty(fc.array(pair, { minLength: 1, maxLength: 8 }), async (pairs) => {
        const parquet = join(folder, gatheredName("train"));
        await writePairsParquet(parquet, pairs);
        expect(await all(readPairs(parquet))).toEqual(pairs);
        const jsonl = join(folder, "pairs.jsonl");
        await rm(jsonl, { force: true });
        const shard = await openPairShard(
          jsonl,
          pairs.map(({ system, prompt, real }) => ({ system, prompt, answer: real })),
        );
        await shard.append(pairs.map(({ generated }) => generated));
        await shard.close();
        expect(await all(readPairs(jsonl))).toEqual(pairs);
      }),
      { numRuns: 20 },
    );
  });

  test.each([
    [
      "no assistant",
      '{"real":[{"role":"user","content":"a"}],"generated":[]}',
      /real: expected a user message followed by an assistant message/,
    ],
    ["two prompts", record("a", "b"), /generated: expected the same prompt as in real/],
    ["a text instead of messages", '{"real":"a","generated":"b"}', /real: expected array/],
  ])("are refused where they are no pair: %s", async (_name, line, says) => {
    const path = join(folder, "bad.jsonl");
    await writeFile(path, `${line}\n`);
    await expect(all(readPairs(path))).rejects.toThrow(says);
  });
});

function record(realPrompt: string, generatedPrompt: string): string {
  const messages = (prompt: string): object[] => [
    { role: "user", content: prompt },
    { role: "assistant", content: "x" },
  ];
  return JSON.stringify({ real: messages(realPrompt), generated: messages(generatedPrompt) });
}

describe("prompts", () => {
  test("are the first exchange of a conversation alone", async () => {
    expect(await all(readPrompts(join(fixtures, "ultrachat.parquet")))).toEqual([
      { id: "a1", system: null, prompt: "Hi", answer: "Hello" },
      { id: "b2", system: "Be brief", prompt: "Why?", answer: "Because" },
    ]);
  });

  test("come from pair records too, numbered where they have no id", async () => {
    expect(await all(readPrompts(join(fixtures, "pairs-role-content.parquet"), { limit: 2 }))).toEqual([
      { id: "0", system: null, prompt: "What is 2+2?", answer: "4, as “two and two” make four ✓" },
      { id: "1", system: null, prompt: "Name a colour", answer: "Red\nor blue" },
    ]);
  });

  test.each([
    ['{"messages":[{"role":"assistant","content":"a"}]}', /messages: expected a user message followed by/],
    [
      '{"messages":[{"role":"user","content":""},{"role":"assistant","content":"b"}]}',
      /line 1: messages: expected a user message with a text to answer/,
    ],
    ['{"text":"a"}', /expected the field messages .* or real/],
  ])("are refused where there is no exchange: %s", async (line, says) => {
    const path = join(folder, "bad.jsonl");
    await writeFile(path, `${line}\n`);
    await expect(all(readPrompts(path))).rejects.toThrow(says);
  });

  test("are refused from a parquet file with neither column", async () => {
    const { writeParquet } = await import("./index.ts");
    const path = join(folder, "other.parquet");
    await writeParquet(path, { columns: [{ name: "text", type: "text" }], rows: [{ text: "a" }] });
    await expect(all(readPrompts(path))).rejects.toThrow(/messages/);
  });
});

// spin.md T11: order is kept, the human answer passes unchanged, resuming never appends duplicates.
describe("a shard", () => {
  const prompts: Exchange[] = ["a", "b ✓", "a", "d"].map((prompt, index) => ({
    system: null,
    prompt,
    answer: ` real "${index}"\n`,
  }));
  const expected = prompts.map(({ prompt, answer }, index): Pair => ({
    system: null,
    prompt,
    real: answer,
    generated: `g${index}`,
  }));

  test("is finished after a crash in the middle of writing, in order and without duplicates", async () => {
    const path = join(folder, shardName(0, "train"));
    const whole = await openPairShard(path, prompts);
    await whole.append(["g0", "g1", "g2", "g3"]);
    await whole.close();
    const bytes = await readFile(path);
    // Every seventh byte, and those around each line end.
    const lengths = Array.from({ length: bytes.length + 1 }, (_value, length) => length).filter(
      (length) => length % 7 === 0 || bytes.subarray(Math.max(0, length - 1), length + 1).includes(0x0a),
    );
    for (const length of lengths) {
      await writeFile(path, bytes.subarray(0, length));
      const shard = await openPairShard(path, prompts);
      const done = shard.donePairs.length;
      expect(shard.donePairs).toEqual(expected.slice(0, done));
      expect(shard.remaining).toEqual(prompts.slice(done));
      for (let next = done; next < prompts.length; next++) await shard.append([`g${next}`]);
      await shard.close();
      expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
    }
  });

  test("of other prompts is refused", async () => {
    const path = join(folder, shardName(0, "train"));
    const shard = await openPairShard(path, prompts);
    await shard.append(["g0", "g1"]);
    await shard.close();
    await expect(openPairShard(path, prompts.toReversed())).rejects.toMatchObject({
      code: "shard-mismatch",
      facts: { line: 1 },
    });
    await expect(openPairShard(path, prompts.slice(0, 1))).rejects.toMatchObject({
      code: "shard-mismatch",
      facts: { line: 2 },
    });
  });

  test("takes no more answers than it has prompts", async () => {
    const shard = await openPairShard(join(folder, "x.jsonl"), prompts.slice(0, 1));
    await expect(shard.append(["g0", "g1"])).rejects.toThrow(/1 prompts/);
    await shard.close();
  });

  test("damaged before its last line is not repaired in silence", async () => {
    const path = join(folder, shardName(0, "train"));
    await writeFile(path, "{broken}\n");
    await appendFile(path, `${record("a", "a")}\n`);
    await expect(openPairShard(path, prompts)).rejects.toMatchObject({
      code: "data-bad-json",
      facts: { line: 1 },
    });
  });

  test("that cannot be written says so", async () => {
    await expect(openPairShard(join(folder, "none", "x.jsonl"), prompts)).rejects.toMatchObject({
      code: "data-write-failed",
    });
  });
});

describe("gathering", () => {
  async function shard(index: number, split: "train" | "test", generated: string): Promise<void> {
    const opened = await openPairShard(join(folder, shardName(index, split)), [
      { system: null, prompt: "p", answer: "r" },
    ]);
    await opened.append([generated]);
    await opened.close();
  }

  test("follows the numbers of the shards, not the order of their names, and keeps splits apart", async () => {
    for (const index of [10, 2, 9, 0, 1, 3, 4, 5, 6, 7, 8]) await shard(index, "train", `g${index}`);
    await shard(0, "test", "t0");
    const gathered = await all(gatherPairs(folder, "train"));
    expect(gathered.map(({ generated }) => generated)).toEqual(
      Array.from({ length: 11 }, (_value, index) => `g${index}`),
    );
    expect((await all(gatherPairs(folder, "test"))).map(({ generated }) => generated)).toEqual(["t0"]);
    await writePairsParquet(join(folder, gatheredName("test")), gatherPairs(folder, "test"));
    expect(await all(readPairs(join(folder, "test_prefs-00000-of-00001.parquet")))).toHaveLength(1);
  });

  test("names the shards that are missing", async () => {
    await shard(0, "train", "g");
    await shard(3, "train", "g");
    await expect(all(gatherPairs(folder, "train"))).rejects.toThrow(/loser_1\.jsonl, loser_2\.jsonl/);
    await expect(all(gatherPairs(folder, "test"))).rejects.toThrow(/loser_0_test\.jsonl/);
    await expect(all(gatherPairs(join(folder, "none"), "test"))).rejects.toMatchObject({
      code: "data-not-found",
    });
  });
});

// spin.md T6.
describe("the counts of the paper's data", () => {
  test("steps per epoch: 778 for one set of answers, 1,556 for two", () => {
    expect(stepsPerEpoch(49_792, 64)).toBe(778);
    expect(stepsPerEpoch(2 * 49_792, 64)).toBe(1_556);
    expect(stepsPerEpoch(49_793, 64)).toBe(779);
  });

  test.each([
    [800, 63, 192],
    [5_000, 10, 4_792],
  ])("shards of %i rows: %i, the last with %i", (shardRows, count, lastRows) => {
    const sizes = { rowCount: 49_792, shardRows };
    expect(shardCount(49_792, shardRows)).toBe(count);
    const last = shardRange(count - 1, sizes);
    expect(last.end - last.start).toBe(lastRows);
    const behind = shardRange(count, sizes);
    expect(behind.end - behind.start).toBe(0);
  });

  test("shards cover every row once", () => {
    fc.assert(
      fc.property(fc.nat({ max: 500 }), fc.integer({ min: 1, max: 60 }), (rowCount, shardRows) => {
        const ranges = Array.from({ length: shardCount(rowCount, shardRows) }, (_value, index) =>
          shardRange(index, { rowCount, shardRows }),
        );
        const rows = ranges.flatMap(({ start, end }) =>
          Array.from({ length: end - start }, (_value, offset) => start + offset),
        );
        expect(rows).toEqual(Array.from({ length: rowCount }, (_value, index) => index));
      }),
    );
  });
});
