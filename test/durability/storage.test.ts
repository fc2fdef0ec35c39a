/**
 * What can be wrong with the place where a run lies: each is a clear error, and nothing is lost. Full and
 * read-only disks are real ones.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandom, isSparError, sha256, systemClock } from "../../src/base/index.ts";
import { createEngine } from "../../src/engines/embedded/engine.ts";
import { filesUnder } from "../../src/store/atomic-files.ts";
import { Database } from "../../src/store/database.ts";
import { listRuns, openRunReader } from "../../src/store/index.ts";
import { createFakeEngine, expectCode } from "../../src/testing/index.ts";
import { resumeRun, startRun, type RunEvent, type RunOutcome } from "../../src/train/index.ts";
import { smallRecipe } from "../fixtures/durability/small-recipe.ts";
import { contentOf } from "./content.ts";
import { SmallDisk } from "./small-disk.ts";

const root = mkdtempSync(join(tmpdir(), "spar-storage-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const common = (folder: string) => ({
  recipe: smallRecipe,
  folder,
  engineFactory: async () => createFakeEngine(),
  clock: systemClock,
});

const identity = { preset: "nano", seed: 11, software: { spar: "test", node: "test", commit: null } };

const start = (
  folder: string,
  more: { signal?: AbortSignal; observer?: (event: RunEvent) => void } = {},
): Promise<RunOutcome> =>
  startRun({
    ...common(folder),
    ...more,
    ...identity,
    engineName: "fake",
  });

const resume = (folder: string): Promise<RunOutcome> => resumeRun(common(folder));

/** A run that was stopped after so many steps. */
async function startAndStop(folder: string, stepCount: number): Promise<void> {
  const stop = new AbortController();
  let endedCount = 0;
  const observer = ({ kind }: RunEvent): void => {
    if (kind === "step-end" && ++endedCount === stepCount) stop.abort();
  };
  await expectCode(start(folder, { signal: stop.signal, observer }), "aborted");
}

/** All bytes of a run but those of its log and lock, which come and go with whoever looks. */
function bytesOf(folder: string): Record<string, string> {
  const files = filesUnder(folder).filter((file) => !/-(wal|shm)$|\.lock/.test(file));
  return Object.fromEntries(files.map((file) => [file, sha256(readFileSync(join(folder, file)))]));
}

let uninterrupted: unknown;
beforeAll(async () => {
  await start(join(root, "whole"));
  uninterrupted = await contentOf(join(root, "whole"));
});

const stopped = async (name: string, stepCount = 5): Promise<string> => {
  const folder = join(root, name);
  await startAndStop(folder, stepCount);
  return folder;
};

const mounted = SmallDisk.mount(64);
mounted?.[Symbol.dispose]();

describe.skipIf(mounted === null)("a disk that", () => {
  test("fills up at any moment ends the run as disk-full, and with more room it goes on to the same end", async () => {
    const codes = new Map<string, number>();
    for (let sizeKiB = 20; sizeKiB < 640; sizeKiB += 20) {
      using disk = SmallDisk.mount(sizeKiB);
      if (disk === null) throw new Error("the disk of before cannot be mounted any more");
      const folder = join(disk.folder, "run");
      const code = await start(folder).then(
        () => "finished",
        (thrown: unknown) => (isSparError(thrown) ? thrown.code : String(thrown)),
      );
      codes.set(code, (codes.get(code) ?? 0) + 1);
      disk.resize(8192);
      if (existsSync(folder)) await resume(folder);
      else await start(folder);
      expect(await contentOf(folder), `${sizeKiB} KiB`).toEqual(uninterrupted);
    }
    expect([...codes.keys()].toSorted()).toEqual(["disk-full", "finished"]);
    expect(codes.get("disk-full")).toBeGreaterThan(15);
  }, 240_000);

  test("fills up under the embedded engine, whose thread writes checkpoints, ends the run in the same way", async () => {
    const engineFactory = async () => createEngine({ threadCount: 1 });
    const begin = (folder: string): Promise<RunOutcome> =>
      startRun({ ...common(folder), ...identity, engineName: "embedded", engineFactory });
    const whole = join(root, "embedded", "run");
    await begin(whole);
    const messages: string[] = [];
    for (const sizeKiB of [150, 350]) {
      using disk = SmallDisk.mount(sizeKiB);
      if (disk === null) throw new Error("the disk of before cannot be mounted any more");
      const folder = join(disk.folder, "run");
      messages.push((await expectCode(begin(folder), "disk-full")).message);
      disk.resize(8192);
      if (existsSync(folder)) await resumeRun({ ...common(folder), engineFactory });
      else await begin(folder);
      expect(await contentOf(folder), `${sizeKiB} KiB`).toEqual(await contentOf(whole));
    }
    expect(messages.join("\n")).toContain("the embedded engine failed: ENOSPC");
  }, 240_000);

  test("is read-only refuses to go on, shows everything, and has lost nothing", async () => {
    using disk = SmallDisk.mount(8192);
    if (disk === null) throw new Error("the disk of before cannot be mounted any more");
    const folder = join(disk.folder, "run");
    await startAndStop(folder, 5);
    disk.setReadOnly(true);
    const before = await contentOf(folder);
    await expectCode(resume(folder), "store-read-only");
    await expectCode(start(join(disk.folder, "other")), "store-read-only");
    expect(listRuns(disk.folder)).toMatchObject([{ kind: "run", status: "interrupted", stepCount: 5 }]);
    expect(await contentOf(folder)).toEqual(before);
    disk.setReadOnly(false);
    await resume(folder);
    expect(await contentOf(folder)).toEqual(uninterrupted);
  });

  test("is read-only tells a finished run again", async () => {
    using disk = SmallDisk.mount(8192);
    if (disk === null) throw new Error("the disk of before cannot be mounted any more");
    const folder = join(disk.folder, "run");
    const { result } = await start(folder);
    const before = bytesOf(folder);
    disk.setReadOnly(true);
    expect((await resume(folder)).result).toEqual(result);
    disk.setReadOnly(false);
    expect((await resume(folder)).result).toEqual(result);
    expect(bytesOf(folder)).toEqual(before);
  });

  test("is read-only shows what a machine left that died there, log and all", async () => {
    using disk = SmallDisk.mount(8192);
    if (disk === null) throw new Error("the disk of before cannot be mounted any more");
    const folder = join(disk.folder, "run");
    await start(join(root, "dying"), {
      observer: (event) => {
        if (event.kind === "step-start" && event.position === 7)
          cpSync(join(root, "dying"), folder, { recursive: true });
      },
    });
    expect(statSync(join(folder, "run.sqlite-wal")).size).toBeGreaterThan(0);
    disk.setReadOnly(true);
    const shown = await contentOf(folder);
    expect(shown).toMatchObject({ steps: expect.objectContaining({ length: 7 }) });
    disk.setReadOnly(false);
    expect(await contentOf(folder)).toEqual(shown);
    rmSync(join(folder, "run.sqlite-shm"));
    disk.setReadOnly(true);
    expect(() => openRunReader(folder), "its index cannot be made").toThrow(
      expect.objectContaining({ code: "store-read-only" }),
    );
    disk.setReadOnly(false);
  });
});

test("a run that is open is refused to a second one, and ends as if nobody had tried", async () => {
  const folder = join(root, "two");
  const attempts: Promise<unknown>[] = [];
  await start(folder, {
    observer: ({ kind }) => {
      if (kind === "step-start") attempts.push(expectCode(resume(folder), "run-busy"));
    },
  });
  expect(attempts).toHaveLength(10);
  await Promise.all(attempts);
  expect(await contentOf(folder)).toEqual(uninterrupted);
});

test("a folder that was copied while its run was open, lock and all, goes on elsewhere", async () => {
  const folder = join(root, "copied");
  const copy = join(root, "copy");
  await start(folder, {
    observer: (event) => {
      if (event.kind === "step-start" && event.position === 6) cpSync(folder, copy, { recursive: true });
    },
  });
  expect(existsSync(join(copy, "run.lock"))).toBe(true);
  await resume(copy);
  expect(await contentOf(copy)).toEqual(uninterrupted);
});

test("a run of a newer or older version is refused, and not touched", async () => {
  const folder = await stopped("versions");
  const before = bytesOf(folder);
  for (const [version, code] of [
    [99, "run-too-new"],
    [1, "run-too-old"],
  ] as const) {
    const database = Database.openForWriting(join(folder, "run.sqlite"));
    database.execute(`PRAGMA user_version = ${version}`);
    database.close();
    const changed = bytesOf(folder);
    await expectCode(resume(folder), code);
    expect(() => openRunReader(folder)).toThrow(expect.objectContaining({ code }));
    expect(bytesOf(folder)).toEqual(changed);
  }
  const manifest = readFileSync(join(folder, "run.json"), "utf8");
  writeFileSync(
    join(folder, "run.json"),
    manifest.replace(/"recordsVersion": \d+/, '"recordsVersion": 99, "seeds": []'),
  );
  await expectCode(resume(folder), "run-too-new");
  writeFileSync(join(folder, "run.json"), manifest);
  const database = Database.openForWriting(join(folder, "run.sqlite"));
  database.execute("PRAGMA user_version = 2");
  database.close();
  expect(Object.keys(bytesOf(folder))).toEqual(Object.keys(before));
  await resume(folder);
  expect(await contentOf(folder)).toEqual(uninterrupted);
});

test("a run.json that belongs to another run, or was changed, is refused", async () => {
  const folder = await stopped("manifest");
  const path = join(folder, "run.json");
  const manifest = readFileSync(path, "utf8");
  for (const [from, to] of [
    ['"seed": 11', '"seed": 12'],
    ['"learningRate": 0.05', '"learningRate": 0.5'],
    ['"id": "manifest"', '"id": "other"'],
  ] as const) {
    expect(manifest).toContain(from);
    writeFileSync(path, manifest.replace(from, to));
    await expectCode(resume(folder), "run-corrupt");
    expect(() => openRunReader(folder)).toThrow(expect.objectContaining({ code: "run-corrupt" }));
  }
  writeFileSync(path, JSON.stringify(JSON.parse(manifest)));
  await resume(folder);
});

test("a checkpoint that is cut or changed anywhere is refused by name, and once it is mended the run goes on", async () => {
  const folder = await stopped("checkpoint", 6);
  const files = filesUnder(join(folder, "checkpoints")).map((file) => join(folder, "checkpoints", file));
  expect(files.length).toBeGreaterThan(1);
  const random = createRandom(4);
  const before = bytesOf(folder);
  for (let round = 0; round < 24; round++) {
    // Versions are read when they are asked for, the last state at once; the run needs all of them here.
    const path = files[round % files.length] ?? "";
    const whole = readFileSync(path);
    const offset = random.integer(whole.length);
    const damaged = round % 3 === 0 ? whole.subarray(0, offset) : Buffer.from(whole);
    if (round % 3 !== 0) damaged[offset] = (damaged[offset] ?? 0) ^ (1 << random.integer(8));
    writeFileSync(path, damaged);
    const copy = join(root, `checkpoint-${round}`);
    cpSync(folder, copy, { recursive: true });
    const error = await resume(copy).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    writeFileSync(path, whole);
    if (error === null) {
      // A version that the rest of the run did not need is refused to whoever asks for it.
      await expectCode(contentOf(copy), "run-corrupt");
      copyFileSync(path, path.replace(folder, copy));
      expect(await contentOf(copy)).toEqual(uninterrupted);
    } else {
      expect(error).toMatchObject({ code: "run-corrupt", message: expect.stringContaining("checkpoints") });
    }
    rmSync(copy, { recursive: true });
  }
  expect(bytesOf(folder)).toEqual(before);
  await resume(folder);
  expect(await contentOf(folder)).toEqual(uninterrupted);
}, 240_000);
