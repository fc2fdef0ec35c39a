/** The engine `torch` with a worker that is a real process and no Python: starting, failing, dying, ending. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tokens, type Engine } from "../../contract/index.ts";
import { tinyModel } from "../../testing/index.ts";
import { createEngine, setUpCommand, type TorchEngineOptions } from "./engine.ts";
import { expectGone, fakePython, startedWorkers } from "./fixtures/fake-python.ts";

let root = "";
let python = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "spar-torch-"));
  python = fakePython(root);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Started {
  readonly engine: Engine;
  readonly log: () => string;
  readonly worker: { readonly pid: number; readonly words: readonly string[] };
  readonly dataFolder: string;
}

function optionsOf(
  name: string,
  behaviour = "",
): TorchEngineOptions & { record: string; dataFolder: string } {
  const record = join(root, `${name}.record`);
  const environment = { PATH: process.env["PATH"], FAKE_WORKER: behaviour, FAKE_WORKER_RECORD: record };
  return { options: { python }, dataFolder: join(root, name), environment, record };
}

async function start(name: string, more: Partial<TorchEngineOptions> = {}): Promise<Started> {
  const { record, ...options } = optionsOf(name);
  let log = "";
  const engine = await createEngine({ ...options, onLog: (text) => (log += text), ...more });
  const [worker] = startedWorkers(record);
  if (worker === undefined) throw new Error("no worker was started");
  return { engine, worker, log: () => log, dataFolder: options.dataFolder };
}

describe("engine torch", { timeout: 60_000 }, () => {
  test("starts a worker, trains on it, and leaves neither process nor folder", async () => {
    const { engine, worker, dataFolder } = await start("whole", { threadCount: 2 });
    expect(engine.description).toMatchObject({ id: "torch", threadCount: 2 });
    const model = await engine.createModel({ name: "one", ...tinyModel() });
    const version = await model.publish();
    const sampled = await engine.sample(version, {
      prompt: [tokens([1])],
      parameters: { maxTokens: 2, seed: 1 },
    });
    expect(sampled.sequences[0]?.tokenIds.length).toBeGreaterThan(0);
    expect(worker.words).toEqual(
      expect.arrayContaining(["--threads", "2", "--shared-files", "--ends-with-input"]),
    );
    await engine.close();
    await expectGone(worker.pid);
    expect(readdirSync(join(dataFolder, "engines", "torch", "working"))).toEqual([]);
  });

  test("keeps states whole in their folder, so that another worker goes on from them", async () => {
    const first = await start("first life");
    const model = await first.engine.createModel({ name: "one", ...tinyModel() });
    const folder = join(root, "state");
    const saved = await model.save(folder);
    expect(readdirSync(folder, { recursive: true }).length).toBeGreaterThan(2);
    expect(saved.bytes).toBeGreaterThan(100);
    await first.engine.close();
    const second = await start("second life");
    const again = await second.engine.createModel({ name: "two", from: { kind: "saved", folder } });
    expect(again.parameterCount).toBe(model.parameterCount);
    await second.engine.close();
  });

  test("never lets the key into the log, though the worker writes it", async () => {
    const { engine, log } = await start("secret");
    await engine.close();
    expect(log()).toContain("a careless line with the key ***");
    expect(log()).not.toContain("tml-");
  });

  test("says what a worker said that ended before it listened", async () => {
    const failed = createEngine(optionsOf("ends", "ends"));
    await expect(failed).rejects.toMatchObject({
      code: "engine-failed",
      message: expect.stringMatching(/ended with code 3.*\n.*\n {2}RuntimeError: no room for the network/u),
    });
  });

  test("names the package that Python lacks, with the command that installs it", async () => {
    await expect(createEngine(optionsOf("lacks", "lacks torch"))).rejects.toMatchObject({
      code: "package-missing",
      hint: expect.stringContaining("lacks torch: spar engine install torch"),
    });
    const absent = { ...optionsOf("absent"), options: { python: join(root, "no-such-python") } };
    await expect(createEngine(absent)).rejects.toMatchObject({ code: "package-missing" });
    const nothing = { environment: {}, dataFolder: join(root, "nothing") };
    await expect(createEngine(nothing)).rejects.toMatchObject({ code: "package-missing" });
    expect(setUpCommand(nothing)).toBe("spar engine install torch");
    expect(setUpCommand({ ...nothing, environment: { SPAR_PYTHON: python } })).toBeNull();
  });

  test("gives up a worker that never listens, with what it said last, and ends it", async () => {
    const { record, ...options } = optionsOf("slow", "never listens");
    const said: string[] = [];
    const slow = createEngine({
      ...options,
      options: { python, startSeconds: 6 },
      onProgress: (text) => void said.push(text),
    });
    await expect(slow).rejects.toMatchObject({
      code: "deadline-exceeded",
      message: expect.stringContaining("waiting for a disk"),
    });
    expect(said[0]).toContain("starting the PyTorch worker");
    for (const { pid } of startedWorkers(record)) await expectGone(pid);
  });

  test("stops starting when its signal fires", async () => {
    const { record, ...options } = optionsOf("stopped", "never listens");
    const stop = new AbortController();
    const onLog = (): void => stop.abort();
    await expect(createEngine({ ...options, onLog }, { signal: stop.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    for (const { pid } of startedWorkers(record)) await expectGone(pid);
  });

  test("tells at once that the worker died: calls under way, and those that follow", async () => {
    const { engine, worker } = await start("dying");
    const model = await engine.createModel({ name: "one", ...tinyModel() });
    process.kill(worker.pid, "SIGSTOP");
    const call = model.publish();
    call.catch(() => undefined);
    process.kill(worker.pid, "SIGKILL");
    const lost = {
      code: "engine-lost",
      message: expect.stringContaining("the signal SIGKILL"),
      retryable: true,
    };
    await expect(call).rejects.toMatchObject(lost);
    await expect(model.publish()).rejects.toMatchObject(lost);
    await engine.close();
  });

  test.skipIf(process.platform === "win32")("its worker ends when its own process is killed", async () => {
    const record = join(root, "orphan.record");
    const program = join(import.meta.dirname, "fixtures", "owner.ts");
    const words = ["--conditions=source", program, python, join(root, "orphan"), record];
    const owner = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => owner.stdout.once("data", resolve));
    const ended = new Promise((resolve) => owner.once("exit", resolve));
    owner.kill("SIGKILL");
    await ended;
    for (const { pid } of startedWorkers(record)) await expectGone(pid);
    // What the two left behind is removed by the next start.
    const { engine } = await start("orphan");
    expect(readdirSync(join(root, "orphan", "engines", "torch", "working"))).toHaveLength(1);
    await engine.close();
  });
});
