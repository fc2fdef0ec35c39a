/** Archives over real sockets: what becomes a folder, what is tried again, and that nothing is left of what failed. */
import { createServer, type ServerResponse } from "node:http";
import { mkdtemp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { createRandom, systemClock } from "../../../base/index.ts";
import { expectCode } from "../../../testing/index.ts";
import { paxNote, tarOf, type TarMember } from "../fixtures/tar-bytes.ts";
import { Backoff } from "../transport/backoff.ts";
import { fillFolder } from "./archive-folder.ts";

const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => void (await Promise.all(closing.map((close) => close()))));

type Reply = (response: ServerResponse) => void;

interface SetUp {
  readonly parent: string;
  readonly folder: string;
  readonly askedCount: () => number;
  readonly fill: (options?: { signal?: AbortSignal; mostBytes?: number; stallMs?: number }) => Promise<void>;
}

/** A server that gives the replies in turn, and the last one for ever. */
async function setUp(...replies: readonly Reply[]): Promise<SetUp> {
  const parent = await mkdtemp(join(tmpdir(), "spar-archive-"));
  let count = 0;
  const server = createServer((request, response) => {
    expect(request.headers["x-api-key"]).toBeUndefined();
    replies[Math.min(count++, replies.length - 1)]?.(response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
    await rm(parent, { recursive: true, force: true });
  });
  const { port } = server.address() as AddressInfo;
  const folder = join(parent, "adapter");
  let askedCount = 0;
  const source = {
    what: "the archive of tinker://run/weights/a",
    address: async () => `http://127.0.0.1:${port}/archive.tar?number=${++askedCount}`,
    backoff: (signal: AbortSignal) =>
      new Backoff({
        policy: { firstPauseMs: 1, longestPauseMs: 2, giveUpAfterMs: 60_000 },
        clock: systemClock,
        random: createRandom(0),
        what: "archive",
        signal,
      }),
  };
  const usual = { signal: new AbortController().signal, mostBytes: 2 ** 30, stallMs: 60_000 };
  const fill = async (options = {}): Promise<void> => fillFolder(folder, source, { ...usual, ...options });
  return { parent, folder, askedCount: () => askedCount, fill };
}

const sends =
  (body: Buffer): Reply =>
  (response) =>
    response.writeHead(200, { "Content-Length": body.length }).end(body);

const says =
  (status: number): Reply =>
  (response) =>
    response.writeHead(status, { "Content-Type": "application/json" }).end('{"detail": "not now"}');

/** Announces all, sends half, and hangs up. */
const breaks =
  (body: Buffer): Reply =>
  (response) => {
    response.writeHead(200, { "Content-Length": body.length });
    response.write(body.subarray(0, body.length / 2), () => response.destroy());
  };

const large = Buffer.alloc(300_000, "weights ");
const members: readonly TarMember[] = [
  { name: "adapter_config.json", content: "{}" },
  { name: "adapter_model.safetensors", content: large },
  { name: "checkpoint_complete" },
];
const whole = tarOf(members);

async function expectNothingLeft({ parent }: SetUp): Promise<void> {
  expect(await readdir(parent)).toEqual([]);
}

describe("an archive that is whole", () => {
  test.each([
    { what: "plain", body: whole },
    { what: "compressed, as SkyRL's are", body: gzipSync(whole) },
    { what: "without the mark at its end", body: tarOf(members.slice(0, 2)) },
    { what: "below a folder of its own", body: tarOf([{ name: "./", type: "5" }, ...members]) },
  ])("becomes a folder: $what", async ({ body }) => {
    const { parent, folder, fill } = await setUp(sends(body));
    await fill();
    expect(await readdir(parent)).toEqual(["adapter"]);
    expect((await readdir(folder)).toSorted()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    expect(large.equals(await readFile(join(folder, "adapter_model.safetensors")))).toBe(true);
  });

  test("names and sizes that do not fit into a header are read from the note before it", async () => {
    const name = `templates/${"x".repeat(150)}`;
    const note = paxNote({ path: name, size: "3" });
    const { folder, fill } = await setUp(sends(tarOf([note, { name: "cut", content: "abc", saidBytes: 0 }])));
    await fill();
    expect(await readFile(join(folder, name), "utf8")).toBe("abc");
  });
});

describe("what breaks on the way", () => {
  test("is asked for again at a new address, when the server is busy or the address is over", async () => {
    const { folder, fill, askedCount } = await setUp(says(503), says(403), sends(whole));
    await fill();
    expect(askedCount()).toBe(3);
    expect(await readdir(folder)).toHaveLength(2);
  });

  test("is begun anew when the connection breaks, and nothing of the first try stays", async () => {
    const first = tarOf([{ name: "other", content: large }, ...members]);
    const { folder, fill } = await setUp(breaks(first), sends(whole));
    await fill();
    expect((await readdir(folder)).toSorted()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
  });

  test("is begun anew when nothing comes for too long", async () => {
    const stalls: Reply = (response) => void response.writeHead(200).write(whole.subarray(0, 600));
    const { folder, fill } = await setUp(stalls, sends(whole));
    await fill({ stallMs: 50 });
    expect(await readdir(folder)).toHaveLength(2);
  });

  test.each([
    { what: "a server that is always busy", reply: says(503), code: "request-refused" },
    { what: "a connection that always breaks", reply: breaks(whole), code: "server-unreachable" },
  ])("is given up after six tries: $what", async ({ reply, code }) => {
    const given = await setUp(reply);
    await expectCode(given.fill(), code);
    expect(given.askedCount()).toBe(6);
    await expectNothingLeft(given);
  });

  test("is not tried again where it is not there", async () => {
    const given = await setUp(says(404));
    await expectCode(given.fill(), "not-found");
    expect(given.askedCount()).toBe(1);
    await expectNothingLeft(given);
  });

  test("ends at once when the caller wants it to", async () => {
    const stop = new AbortController();
    const given = await setUp((response) => {
      response.writeHead(200).write(whole.subarray(0, 600), () => stop.abort());
    });
    await expectCode(given.fill({ signal: stop.signal }), "aborted");
    await expectNothingLeft(given);
  });
});

describe("an archive that is refused", () => {
  const file = (name: string): readonly TarMember[] => [{ name, content: "x" }];
  const damaged = Buffer.from(whole);
  damaged.write("z", 0);
  const longer = Buffer.concat([whole, Buffer.from("more")]);
  test.each([
    { what: "a name above the folder", body: tarOf(file("../adapter_config.json")) },
    { what: "a name above it further on", body: tarOf(file("a/../../b")) },
    { what: "a path from the root", body: tarOf(file("/etc/passwd")) },
    { what: "a path of Windows", body: tarOf(file("C:\\weights")) },
    { what: "a name above the folder in a note", body: tarOf([paxNote({ path: "../up" }), ...file("a")]) },
    { what: "a link", body: tarOf([{ name: "link", type: "2" }]) },
    { what: "a hard link", body: tarOf([{ name: "link", type: "1" }]) },
    { what: "a file that comes twice", body: tarOf([...file("a"), ...file("a")]) },
    { what: "a header that was changed", body: damaged },
    { what: "no end", body: tarOf(members, { hasEnd: false }) },
    { what: "a file that is longer than the archive", body: tarOf([{ name: "a", saidBytes: 10 ** 6 }]) },
    { what: "more behind its end", body: longer },
    { what: "nothing in it", body: tarOf([]) },
    { what: "something else", body: Buffer.from("<html>".repeat(200)) },
    { what: "half of a compressed one", body: gzipSync(whole).subarray(0, 200) },
  ])("$what", async ({ body }) => {
    const given = await setUp(sends(body));
    await expectCode(given.fill(), "unexpected-answer");
    expect(given.askedCount()).toBe(1);
    await expectNothingLeft(given);
  });

  test.each([
    { what: "as it comes", body: whole },
    { what: "when it is unpacked", body: gzipSync(whole) },
  ])("more than was allowed, $what", async ({ body }) => {
    const given = await setUp(sends(body));
    const error = await expectCode(given.fill({ mostBytes: 100_000 }), "unexpected-answer");
    expect(error.message).toContain("at most 100000 bytes");
    await expectNothingLeft(given);
  });

  test("a folder that exists stays as it is", async () => {
    const { folder, fill, askedCount } = await setUp(sends(whole));
    await mkdir(folder);
    await expectCode(fill(), "invalid-input");
    expect(askedCount()).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });
});
