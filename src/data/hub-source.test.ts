import { createServer, type Server } from "node:http";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { loadRecords, parseHubAddress, readPairs } from "./index.ts";

const parquet = await readFile(join(import.meta.dirname, "fixtures", "pairs-role-content.parquet"));
const files: Record<string, Uint8Array> = {
  "/datasets/owner/name/resolve/main/train.jsonl": Buffer.from('{"a":1}\n{"a":2}\n'),
  "/datasets/owner/name/resolve/v2/data/pairs.parquet": parquet,
};
for (const [name, record] of [
  ["train_sft-00001-of-00002-ab12", 3],
  ["train_sft-00000-of-00002-ab12", 2],
  ["test", 9],
] as const) {
  files[`/datasets/owner/name/resolve/main/data/${name}.jsonl`] = Buffer.from(`{"a":${record}}\n`);
}
const schema = z.object({ a: z.number() });

/** A hub by the two requests that the client makes: a range of one byte, then the bytes. */
let server: Server;
let hubUrl = "";
let requests: string[] = [];
let cacheFolder = "";

beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), "spar-hub-"));
  server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    if (path.includes("/private/")) return void response.writeHead(401).end();
    if (path.includes("/silent/")) return;
    if (path.startsWith("/api/datasets/owner/name/tree/main")) {
      const paths = Object.keys(files).flatMap((file) => /main\/(.*)$/.exec(file)?.[1] ?? []);
      const entries = [...paths, "README.md"].map((name) => ({
        type: "file",
        path: name,
        size: 1,
        oid: "0",
      }));
      return void response
        .writeHead(200, { "Content-Type": "application/json" })
        .end(JSON.stringify(entries));
    }
    const file = files[path];
    if (file === undefined) return void response.writeHead(404, { "X-Error-Code": "EntryNotFound" }).end();
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "");
    const start = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Math.min(Number(range[2]) + 1, file.length) : file.length;
    response.writeHead(range === null ? 200 : 206, {
      ETag: '"etag"',
      ...(range === null ? {} : { "Content-Range": `bytes ${start}-${end - 1}/${file.length}` }),
    });
    response.end(file.subarray(start, end));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  hubUrl = typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
});
beforeEach(() => {
  requests = [];
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(cacheFolder, { recursive: true });
});

describe("a file of the hub", () => {
  test("is read where the user names it", async () => {
    expect(await loadRecords("hf://owner/name/train.jsonl", schema, { hub: { hubUrl } })).toEqual([
      { a: 1 },
      { a: 2 },
    ]);
  });

  test("is read by ranges where it is parquet, at the revision that was named", async () => {
    const pairs: unknown[] = [];
    for await (const pair of readPairs("hf://datasets/owner/name@v2/data/pairs.parquet", { hub: { hubUrl } }))
      pairs.push(pair);
    expect(pairs).toHaveLength(3);
  });

  test("is kept in the cache folder and read from there without the network", async () => {
    const hub = { hubUrl, cacheFolder };
    expect(await loadRecords("hf://owner/name/train.jsonl", schema, { hub })).toHaveLength(2);
    expect(requests.length).toBeGreaterThan(0);
    requests = [];
    expect(await loadRecords("hf://owner/name/train.jsonl", schema, { hub })).toHaveLength(2);
    expect(requests).toEqual([]);
    const kept = await readdir(cacheFolder, { recursive: true });
    expect(kept.filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  test("may be left out: then all files of the split are read in the order of their numbers", async () => {
    const read = await loadRecords("hf://owner/name", schema, { hub: { hubUrl }, split: "train_sft" });
    expect(read).toEqual([{ a: 2 }, { a: 3 }]);
    expect(await loadRecords("hf://owner/name", schema, { hub: { hubUrl } })).toEqual([{ a: 1 }, { a: 2 }]);
    await expect(
      loadRecords("hf://owner/name", schema, { hub: { hubUrl }, split: "dev" }),
    ).rejects.toMatchObject({
      code: "data-split-missing",
      hint: "the data set has the splits test, train, train_sft",
    });
    await expect(loadRecords("hf://owner/none", schema, { hub: { hubUrl } })).rejects.toMatchObject({
      code: "data-not-found",
    });
  });

  test("is asked for only when the first record is", async () => {
    const { readRecords } = await import("./index.ts");
    readRecords("hf://owner/name/train.jsonl", schema, { hub: { hubUrl } });
    expect(requests).toEqual([]);
  });

  test.each([
    { source: "hf://owner/name/none.jsonl", code: "data-not-found", retryable: false },
    { source: "hf://owner/private/train.jsonl", code: "hub-access-denied", retryable: false },
    { source: "hf://owner/silent/train.jsonl", code: "deadline-exceeded", retryable: true },
  ])("that cannot be had says why: $code", async ({ source, code, retryable }) => {
    const failure = loadRecords(source, schema, {
      hub: { hubUrl, timeoutMs: code === "deadline-exceeded" ? 50 : 5000 },
    });
    await expect(failure).rejects.toMatchObject({ code, retryable, boundary: "data" });
  });

  test("without a network is an error that says what to do", async () => {
    const failure = loadRecords("hf://owner/name/train.jsonl", schema, {
      hub: { hubUrl: "http://127.0.0.1:1" },
    });
    await expect(failure).rejects.toMatchObject({
      code: "hub-unreachable",
      retryable: true,
      hint: expect.stringContaining("name its path"),
    });
  });
});

describe("an address", () => {
  test("names repository, revision and path", () => {
    expect(parseHubAddress("hf://a/b/c/d.jsonl")).toEqual({
      repository: "a/b",
      revision: "main",
      path: "c/d.jsonl",
    });
    expect(parseHubAddress("hf://datasets/a/b@r1/c.jsonl")).toEqual({
      repository: "a/b",
      revision: "r1",
      path: "c.jsonl",
    });
  });

  test.each(["hf://a", "hf://a/", "hf://a/b/../../x.jsonl", "https://a/b/c"])(
    "is refused where it is none: %s",
    (address) => {
      expect(() => parseHubAddress(address)).toThrow(
        expect.objectContaining({ code: "hub-address-invalid" }),
      );
    },
  );
});
