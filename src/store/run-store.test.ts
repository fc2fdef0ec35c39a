import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { isSparError } from "../base/index.ts";
import { expectCode } from "../testing/index.ts";
import {
  episodeStart,
  manifest,
  nothingAttached,
  stepCommit,
  stillClock,
  temporaryFolder,
  turnOf,
} from "../../test/fixtures/durability/records.ts";
import { Database } from "./database.ts";
import { readManifest } from "./manifest.ts";
import { listRuns, openRunReader } from "./run-reader.ts";
import { RunStore } from "./run-store.ts";
import { storeError } from "./store-errors.ts";

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));

const create = (name: string): RunStore => RunStore.create(join(root, name), manifest, stillClock);
const open = async (folder: string): Promise<RunStore> => RunStore.open(folder, stillClock);
const read = async (folder: string): Promise<readonly string[]> => {
  using reader = openRunReader(folder);
  return [...reader.steps()].map((step) => step.name);
};

/** A run with some steps, and episodes with two turns each. */
async function fill(store: RunStore, stepCount: number): Promise<void> {
  for (let position = 0; position < stepCount; position++) {
    for (let index = 0; index < 3; index++) {
      const id = `step ${position}/episodes#${index}`;
      store.episodes.start(episodeStart(id, `step ${position}`));
      store.episodes.turns([turnOf(id, 0)], "ask", 1);
      store.episodes.turns([turnOf(id, 1, { text: "x".repeat(500) })], "ask", 2);
      await store.episodes.end(id, { kind: "finished", outcome: index });
    }
    store.commit(stepCommit(position), {
      ...nothingAttached,
      reports: [{ place: "inside", event: { kind: "note", text: `note ${position}` } }],
      metrics: [{ index: position, name: "train/loss", value: position === 1 ? Number.NaN : position / 2 }],
      annotations: [
        {
          kind: "verdict",
          name: "right",
          target: { kind: "turn", turnId: `step ${position}/episodes#0:1.0` },
          verdict: { kind: "pass" },
        },
      ],
    });
  }
}

test("what was committed is read back, without the process that wrote it", async () => {
  const store = create("read");
  await fill(store, 3);
  store.close();
  using reader = openRunReader(join(root, "read"));
  expect([...reader.steps()].map(({ name, result }) => [name, result])).toEqual([
    ["step 0", { position: 0 }],
    ["step 1", { position: 1 }],
    ["step 2", { position: 2 }],
  ]);
  expect([...reader.metrics()].map(({ value }) => value)).toEqual([0, Number.NaN, 1]);
  expect([...reader.reports()].map(({ event }) => event)).toHaveLength(3);
  expect([...reader.episodes({ stepName: "step 1" })].map(({ turnCount, end }) => [turnCount, end])).toEqual(
    [0, 1, 2].map((outcome) => [2, { kind: "finished", outcome }]),
  );
  const { turns } = reader.episode("step 1/episodes#0");
  expect(turns[0]?.turn).toEqual(turnOf("step 1/episodes#0", 0));
  expect(reader.annotations("step 1/episodes#0")).toHaveLength(1);
  expect(reader.annotations("step 1/episodes#1")).toHaveLength(0);
});

test("a run that is open is busy, in this process and in any other", async () => {
  const folder = join(root, "busy");
  const store = create("busy");
  await expectCode(open(folder), "run-busy");
  const code = `import { RunStore } from ${JSON.stringify(join(import.meta.dirname, "run-store.ts"))};
    try { RunStore.open(${JSON.stringify(folder)}, { nowMs: () => 0, monotonicMs: () => 0 }); } catch (error) { process.stdout.write(error.code); }`;
  const other = spawnSync(
    process.execPath,
    ["--conditions=source", "--input-type=module", "--no-warnings", "-e", code],
    { encoding: "utf8" },
  );
  expect(other.stdout).toBe("run-busy");
  expect(listRuns(root).find((run) => run.folder === folder)).toMatchObject({ status: "running" });
  store.close();
  (await open(folder)).close();
  expect(listRuns(root).find((run) => run.folder === folder)).toMatchObject({ status: "interrupted" });
});

test("a new run never writes into a folder that exists, be it a run or what a crash left of one", async () => {
  mkdirSync(join(root, "there"));
  create("a-run").close();
  const codes = ["there", "a-run"].map(async (name) => {
    const error = await expectCode(
      Promise.resolve().then(() => create(name)),
      "run-exists",
    );
    return error.hint;
  });
  expect(await Promise.all(codes)).toEqual([
    expect.stringContaining("it holds no run"),
    expect.stringContaining("resume it"),
  ]);
});

test("a run that could not be made leaves nothing behind, and can be made again", async () => {
  const transaction = vi.spyOn(Database.prototype, "transaction");
  transaction.mockImplementationOnce(() => {
    throw storeError("disk-full", "no room");
  });
  const make = async (): Promise<RunStore> => create("not-made");
  await expectCode(make(), "disk-full");
  transaction.mockRestore();
  expect(existsSync(join(root, "not-made"))).toBe(false);
  (await make()).close();
});

test.each([
  ["empty", ""],
  ["other", "not a database".repeat(100)],
])("an %s file in the place of the database is refused and not touched", async (name, content) => {
  const folder = join(root, `${name}-database`);
  create(`${name}-database`).close();
  const path = join(folder, "run.sqlite");
  writeFileSync(path, content);
  await expectCode(open(folder), "run-corrupt");
  await expectCode(read(folder), "run-corrupt");
  expect(readFileSync(path, "utf8")).toBe(content);
});

test("what lies in the place of a file of the run and is none is damage", async () => {
  for (const file of ["run.json", "run.sqlite"]) {
    const folder = join(root, `folder-${file}`);
    create(`folder-${file}`).close();
    rmSync(join(folder, file));
    mkdirSync(join(folder, file));
    await expectCode(open(folder), "run-corrupt");
    await expectCode(read(folder), "run-corrupt");
    expect(listRuns(root).find((run) => run.folder === folder)).toMatchObject({ kind: "unreadable" });
  }
});

test("only a finished run is opened without its lock, and nothing is written to it", async () => {
  const store = create("finished");
  store.commit(stepCommit(0), nothingAttached);
  const folder = join(root, "finished");
  expect(RunStore.openFinished(folder, stillClock)).toBeNull();
  store.commit({ ...stepCommit(1), kind: "end" }, nothingAttached);
  const shown = RunStore.openFinished(folder, stillClock);
  expect([...(shown?.steps.each() ?? [])]).toHaveLength(2);
  expect(() => shown?.event("run-resume", null)).toThrow(
    expect.objectContaining({ code: "store-read-only" }),
  );
  shown?.close();
  store.close();
});

test("a folder that is no run is told from one that is damaged or too new", async () => {
  await expectCode(open(root), "not-a-run");
  await expectCode(read(join(root, "nowhere")), "not-a-run");
  const folder = join(root, "newer");
  create("newer").close();
  writeFileSync(
    join(folder, "run.json"),
    JSON.stringify({ ...manifest, recordsVersion: 99, unheardOf: true }),
  );
  await expectCode(open(folder), "run-too-new");
  rmSync(join(folder, "run.sqlite"));
  writeFileSync(join(folder, "run.json"), JSON.stringify(manifest));
  await expectCode(open(folder), "run-corrupt");
  expect(existsSync(join(folder, "run.sqlite")), "nothing new was made in its place").toBe(false);
});

test("run.json that is cut at any byte is refused", async () => {
  const folder = join(root, "cut-json");
  create("cut-json").close();
  const whole = readFileSync(join(folder, "run.json"));
  for (let length = 0; length < whole.length - 2; length++) {
    writeFileSync(join(folder, "run.json"), whole.subarray(0, length));
    await expectCode(
      Promise.resolve().then(() => readManifest(folder)),
      "run-corrupt",
    );
  }
});

/** What survived a cut: null where the run was refused, else its steps, each whole. */
async function survivors(folder: string): Promise<readonly string[] | null> {
  try {
    const store = await open(folder);
    const names = [...store.steps.each()].map((step) => step.name);
    for (const name of names) expect(store.episodes.turnsOf(name)).toHaveLength(6);
    store.close();
    return names;
  } catch (thrown) {
    if (!isSparError(thrown)) throw thrown;
    expect(["run-corrupt", "disk-failed"]).toContain(thrown.code);
    return null;
  }
}

const all = ["step 0", "step 1", "step 2", "step 3"];

test("a database that is cut at any byte is refused", async () => {
  const folder = join(root, "cut");
  const store = create("cut");
  await fill(store, 4);
  store.close();
  const whole = readFileSync(join(folder, "run.sqlite"));
  expect(await survivors(folder)).toEqual(all);
  const places = Array.from(
    { length: 40 },
    (_value, place) => Math.floor((whole.length * place) / 40) + (place % 3),
  );
  for (const length of places) {
    writeFileSync(join(folder, "run.sqlite"), whole.subarray(0, length));
    expect(await survivors(folder), `cut at ${length} of ${whole.length}`).toBeNull();
  }
});

test("a write-ahead log that is cut at any byte gives a prefix of the commits", async () => {
  const store = create("wal");
  await fill(store, 4);
  const live = join(root, "wal");
  const log = readFileSync(join(live, "run.sqlite-wal"));
  const counts = new Set<number>();
  for (let place = 0; place <= 30; place++) {
    const folder = join(root, `wal-${place}`);
    mkdirSync(folder);
    for (const file of ["run.json", "run.sqlite"]) copyFileSync(join(live, file), join(folder, file));
    writeFileSync(join(folder, "run.sqlite-wal"), log.subarray(0, Math.floor((log.length * place) / 30)));
    const names = await survivors(folder);
    if (names === null) continue;
    expect(names).toEqual(all.slice(0, names.length));
    counts.add(names.length);
  }
  expect([...counts], "some cuts keep some commits, the whole log keeps all").toEqual(
    expect.arrayContaining([1, 4]),
  );
  store.close();
});

test("a checkpoint that was cut, changed or lost is refused by name", async () => {
  const store = create("checkpoints");
  const { checkpoints } = store;
  const temporary = checkpoints.temporaryPath("policy-0");
  mkdirSync(join(temporary, "inner"), { recursive: true });
  writeFileSync(join(temporary, "inner", "weights"), "12345678");
  const late = checkpoints.temporaryPath("policy-0");
  expect(late, "whoever missed its deadline may write on").not.toBe(temporary);
  const kept = { folder: "policy-0", policy: "policy", digest: "digest" };
  const checkpoint = await checkpoints.install(temporary, kept);
  expect(checkpoint).toMatchObject({ bytes: 8, files: [{ path: "inner/weights", bytes: 8 }] });
  await checkpoints.verify(checkpoint);
  const file = join(checkpoints.pathOf("policy-0"), "inner", "weights");
  for (const content of ["1234567", "12345679", ""]) {
    writeFileSync(file, content);
    expect((await expectCode(checkpoints.verify(checkpoint), "run-corrupt")).message).toContain(file);
  }
  expect(checkpoints.removeOthers(new Set(["other"]))).toEqual(["policy-0"]);
  await expectCode(checkpoints.verify(checkpoint), "run-corrupt");
  store.close();
});

test("commits that were mixed up are noticed, though each of them is whole", async () => {
  for (const [name, loss] of [
    ["mixed", 1],
    ["other", 2],
  ] as const) {
    const store = create(name);
    for (let position = 0; position < 3; position++)
      store.commit(stepCommit(position, { result: { loss } }), nothingAttached);
    store.close();
  }
  const other = Database.openForReading(join(root, "other", "run.sqlite"));
  const row = other.first("SELECT result, chain, crc FROM steps WHERE position = 1") ?? {};
  other.close();
  const database = Database.openForWriting(join(root, "mixed", "run.sqlite"));
  const sql = "UPDATE steps SET result = ?, chain = ?, crc = ? WHERE position = 1";
  database.run(sql, ...["result", "chain", "crc"].map((column) => row[column] ?? null));
  database.close();
  expect((await expectCode(open(join(root, "mixed")), "run-corrupt")).message).toContain("step 1");
});

test("steps that a resumed run goes back behind no longer count, and stay readable", async () => {
  const store = create("back");
  await fill(store, 3);
  store.supersedeFrom(1);
  store.commit(stepCommit(1, { name: "again" }), nothingAttached);
  store.steps.verify();
  store.close();
  expect(await read(join(root, "back"))).toEqual(["step 0", "again"]);
  using reader = openRunReader(join(root, "back"));
  expect([...reader.steps({ includeSuperseded: true })]).toHaveLength(4);
  expect([...reader.metrics()]).toHaveLength(1);
});

test("the write-ahead log stays bounded while the run grows", async () => {
  const store = create("bounded");
  const log = join(root, "bounded", "run.sqlite-wal");
  let largest = 0;
  for (let index = 0; index < 60; index++) {
    const id = `play/episodes#${index}`;
    store.episodes.start(episodeStart(id));
    for (let sequence = 0; sequence < 4; sequence++)
      store.episodes.turns([turnOf(id, sequence, { text: "x".repeat(100_000) })], "ask", 1);
    await store.episodes.end(id, { kind: "finished", outcome: null });
    largest = Math.max(largest, statSync(log).size);
  }
  store.close();
  expect(statSync(join(root, "bounded", "run.sqlite")).size).toBeGreaterThan(20e6);
  expect(largest).toBeLessThan(8e6);
});

test("a run that was copied while it was open is readable, even where nothing can be written", async () => {
  const store = create("live");
  await fill(store, 2);
  expect(await read(join(root, "live")), "beside the writer").toEqual(["step 0", "step 1"]);
  store.close();
  cpSync(join(root, "live"), join(root, "copy"), { recursive: true });
  truncateSync(join(root, "copy", "run.lock"), 0);
  expect(await read(join(root, "copy"))).toEqual(["step 0", "step 1"]);
});
