import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { fileSource } from "./byte-source.ts";
import { loadRecords, readRecords, writeParquet } from "./index.ts";
import { readJsonl } from "./jsonl-reader.ts";

const fixtures = join(import.meta.dirname, "fixtures");
const schema = z.object({ question: z.string(), count: z.number().optional() });
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spar-data-"));
});
afterAll(async () => rm(folder, { recursive: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function readAll<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

describe("JSON Lines", () => {
  test("come back in order, blank lines, CRLF, a byte order mark and a missing last line end allowed", async () => {
    const path = await write(
      "good.jsonl",
      '\uFEFF{"question":"a"}\r\n\n{"question":"ü ✓","extra":1}\n{"question":"c","count":3}',
    );
    expect(await loadRecords(path, schema)).toEqual([
      { question: "a" },
      { question: "ü ✓" },
      { question: "c", count: 3 },
    ]);
  });

  test("are read only as far as they are asked for", async () => {
    const path = await write("limit.jsonl", '{"question":"a"}\n{"question":"b"}\nnot json\n');
    expect(await loadRecords(path, schema, { limit: 2 })).toHaveLength(2);
    expect(await loadRecords(path, schema, { limit: 0 })).toEqual([]);
    for await (const record of readRecords(path, schema)) {
      expect(record.question).toBe("a");
      break;
    }
  });

  test("bring back whatever text was in them, however the bytes were cut into blocks", async () => {
    const path = join(folder, "any.jsonl");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "grapheme" }), { minLength: 1 }), async (questions) => {
        const padded = questions.map((question, index) => ({
          question: `${question}${"é".repeat(index === 0 ? 40_000 : 0)}`,
        }));
        await writeFile(path, padded.map((record) => `${JSON.stringify(record)}\n`).join(""));
        expect(await loadRecords(path, schema)).toEqual(padded);
      }),
      { numRuns: 20 },
    );
  });

  test("have a bound on the length of a line, not on that of the file", async () => {
    const path = await write("long.jsonl", `${'{"question":"a"}\n'.repeat(9)}{"question":"too long"}\n`);
    const failure = readAll(readJsonl(await fileSource(path), schema, { maxLineBytes: 20 }));
    await expect(failure).rejects.toMatchObject({ code: "data-line-too-long", facts: { line: 10 } });
  });

  test("stop when they are told to", async () => {
    const path = await write("stop.jsonl", '{"question":"a"}\n');
    await expect(loadRecords(path, schema, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "aborted",
    });
  });

  test.each([
    {
      name: "bad JSON",
      content: '{"question":"a"}\n{question}\n',
      code: "data-bad-json",
      says: /line 2: expected one JSON record, got "\{question\}"/,
    },
    {
      name: "a truncated last line",
      content: '{"question":"a"}\n{"question":"b',
      code: "data-truncated",
      says: /line 2: the last record ends in the middle/,
    },
    {
      name: "a field of another type",
      content: '{"question":"a"}\n\n{"question":7}\n',
      code: "data-bad-record",
      says: /line 3: question: expected string, received number; got 7/,
    },
    {
      name: "a missing field",
      content: '{"prompt":"a"}\n',
      code: "data-bad-record",
      says: /line 1: question: .*got nothing/,
    },
    {
      name: "a record that is a list",
      content: "[1]\n",
      code: "data-bad-record",
      says: /the record: expected object/,
    },
    { name: "one JSON array", content: '[\n{"question":"a"}]\n', code: "data-bad-json", says: /line 1/ },
    {
      name: "lines that end in CR alone",
      content: '{"question":"a"}\r{"question":"b"}\r',
      code: "data-bad-json",
      says: /line 1: .*lines that end in CR alone/,
    },
    {
      name: "an empty file",
      content: "",
      code: "data-empty",
      says: /expected one JSON record per line, found none/,
    },
    { name: "blank lines alone", content: "\n \n", code: "data-empty", says: /found none/ },
    {
      name: "NUL bytes",
      content: '{"question":"a"}\n{"question":"\0"}\n',
      code: "data-not-text",
      says: /line 2: .*NUL/,
    },
    {
      name: "Latin-1 text",
      content: Buffer.from('{"question":"\xE9"}\n', "latin1"),
      code: "data-not-text",
      says: /line 1: .*not UTF-8/,
    },
    {
      name: "UTF-16 text",
      content: Buffer.from('\uFEFF{"question":"a"}', "utf16le"),
      code: "data-not-text",
      says: /UTF-16/,
    },
    { name: "a gzip archive", content: gzipSync('{"question":"a"}\n'), code: "data-not-text", says: /gzip/ },
    { name: "a parquet file", content: "PAR1xxxx", code: "data-not-text", says: /parquet/ },
  ])("that are broken say where and how: $name", async ({ content, code, says }) => {
    const path = await write("broken.jsonl", content);
    const failure = loadRecords(path, schema);
    await expect(failure).rejects.toMatchObject({ code, boundary: "data", facts: { file: path } });
    await expect(failure).rejects.toThrow(says);
    await expect(failure).rejects.toSatisfy(
      (error) => typeof Object(error).hint === "string" && Object(error).hint.length > 0,
    );
  });

  test.each(['[{"question":"a"},{"question":"b"}]', '[\n{"question":"a"}\n]\n'])(
    "that are one JSON array are told how to become lines: %j",
    async (content) => {
      const path = await write("array.jsonl", content);
      await expect(loadRecords(path, schema)).rejects.toMatchObject({
        hint: expect.stringContaining("jq -c '.[]'"),
      });
    },
  );

  test("may end their lines in CR and LF", async () => {
    const path = await write("windows.jsonl", '{"question":"a"}\r\n{"question":"b"}\r\n');
    expect(await loadRecords(path, schema)).toEqual([{ question: "a" }, { question: "b" }]);
  });

  test("give the fields that are there as a hint where one is missing", async () => {
    const path = await write("fields.jsonl", '{"prompt":"a","answer":"b"}\n');
    await expect(loadRecords(path, schema)).rejects.toMatchObject({
      hint: expect.stringContaining("prompt, answer"),
    });
  });
});

describe("a source", () => {
  test.each([
    { name: "that is missing", source: "none.jsonl", code: "data-not-found" },
    { name: "that is missing in parquet", source: "none.parquet", code: "data-not-found" },
    { name: "below a file", source: "good.jsonl/x.jsonl", code: "data-not-found" },
    { name: "without an ending", source: "data", code: "data-format-unknown" },
    { name: "with an unknown ending", source: "data.jsnl", code: "data-format-unknown" },
  ])("is refused: one $name", async ({ source, code }) => {
    await write("good.jsonl", '{"question":"a"}\n');
    await expect(loadRecords(join(folder, source), schema)).rejects.toMatchObject({ code });
  });

  test("that is a folder says so", async () => {
    await mkdir(join(folder, "inner.jsonl"));
    await expect(loadRecords(join(folder, "inner.jsonl"), schema)).rejects.toMatchObject({
      code: "data-is-folder",
    });
  });

  test.skipIf(process.platform === "win32")("that is a pipe is refused, not waited for", async () => {
    const pipe = join(folder, "pipe.jsonl");
    execFileSync("mkfifo", [pipe]);
    await expect(loadRecords(pipe, schema)).rejects.toMatchObject({ code: "data-no-file" });
  });

  test("with a misspelt ending suggests the right one", async () => {
    await expect(loadRecords("data.jsnl", schema)).rejects.toMatchObject({
      hint: expect.stringContaining('did you mean ".jsonl"'),
    });
  });
});

describe("parquet", () => {
  test("brings rows back in order over several row groups, with the columns that the schema names alone", async () => {
    const path = join(folder, "rows.parquet");
    const rows = Array.from({ length: 2500 }, (_value, index) => ({
      question: `q${index} ✓`,
      count: index / 2,
      other: "x",
    }));
    await writeParquet(path, {
      columns: [
        { name: "question", type: "text" },
        { name: "count", type: "number" },
        { name: "other", type: "text" },
      ],
      rows,
    });
    const read = await loadRecords(path, schema);
    expect(read).toEqual(rows.map(({ question, count }) => ({ question, count })));
    expect(await loadRecords(path, schema, { limit: 3 })).toHaveLength(3);
  });

  test("reads 64-bit whole numbers as numbers", async () => {
    const counts = await loadRecords(join(fixtures, "ultrachat.parquet"), z.object({ count: z.number() }));
    expect(counts).toEqual([{ count: 1 }, { count: 2 }]);
  });

  test("says which column is missing and which are there", async () => {
    const failure = loadRecords(join(fixtures, "ultrachat.parquet"), schema);
    await expect(failure).rejects.toMatchObject({
      code: "data-missing-column",
      hint: expect.stringContaining("prompt, prompt_id, messages, count"),
    });
  });

  test("says which row is not as expected", async () => {
    const failure = loadRecords(join(fixtures, "ultrachat.parquet"), z.object({ prompt: z.string().max(2) }));
    await expect(failure).rejects.toThrow(/line 2: prompt: Too big/);
  });

  test.each([
    {
      name: "JSON records",
      content: '{"question":"a"}\n',
      code: "data-bad-parquet",
      hint: "give it the ending .jsonl",
    },
    { name: "other bytes", content: "abc", code: "data-bad-parquet", hint: "the file that was meant" },
    { name: "nothing", content: "", code: "data-empty", hint: "to its end" },
    { name: "a cut file", content: "PAR1aaaaaaaaaaaaaaaaa", code: "data-truncated", hint: "to its end" },
    { name: "damage", content: "PAR1aaaa\xff\xff\xff\x7fPAR1", code: "data-bad-parquet", hint: "again" },
  ])("says of $name what is wrong with it", async ({ content, code, hint }) => {
    const path = await write("bad.parquet", content);
    await expect(loadRecords(path, schema)).rejects.toMatchObject({
      code,
      hint: expect.stringContaining(hint),
      message: expect.not.stringMatching(/DataView|footer/),
    });
  });

  test("says of a file without any column of a record which it has", async () => {
    const optional = z.object({ question: z.string().optional(), answer: z.string().optional() });
    await expect(loadRecords(join(fixtures, "ultrachat.parquet"), optional)).rejects.toMatchObject({
      code: "data-missing-column",
      message: expect.stringContaining("one of the columns question, answer"),
      hint: expect.stringContaining("prompt, prompt_id, messages, count"),
    });
  });

  test("leaves nothing behind where it cannot be written", async () => {
    const path = join(folder, "no", "such", "folder.parquet");
    await expect(
      writeParquet(path, { columns: [{ name: "a", type: "text" }], rows: [{ a: "b" }] }),
    ).rejects.toMatchObject({
      code: "data-write-failed",
    });
    const failing = join(folder, "failing.parquet");
    const rows = (function* () {
      yield { a: "b" };
      throw new Error("the source broke");
    })();
    await expect(writeParquet(failing, { columns: [{ name: "a", type: "text" }], rows })).rejects.toThrow(
      /the source broke/,
    );
    await expect(loadRecords(failing, schema)).rejects.toMatchObject({ code: "data-not-found" });
    expect((await readdir(folder)).filter((name) => name.startsWith("failing"))).toEqual([]);
  });
});
