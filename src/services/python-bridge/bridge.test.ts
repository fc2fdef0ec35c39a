/** What can go wrong with a process that answers calls: each has its own error, and the next call goes on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { standInPython } from "../../../test/fixtures/python/stand-in-python.ts";
import { expectCode } from "../../testing/index.ts";
import { PythonBridge, type PythonBridgeOptions } from "./bridge.ts";
import { pythonEnvironment } from "./python-environment.ts";

let folder = "";
let python = "";
const open: PythonBridge[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spar-bridge-"));
  python = standInPython(folder, "greets");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  await Promise.all(open.splice(0).map((bridge) => bridge.close()));
});

function bridgeTo(executable: string, options: Partial<PythonBridgeOptions> = {}): PythonBridge {
  const bridge = new PythonBridge({ python: executable, environment: process.env, ...options });
  open.push(bridge);
  return bridge;
}

/** Whether a process is there; a signal of number 0 only asks. */
function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

// Its stand-ins are programs that begin with "#!".
describe.skipIf(process.platform === "win32")("the bridge to Python", () => {
  test("many calls at once are answered, each with its own answer", async () => {
    const bridge = bridgeTo(python);
    const calls = Array.from({ length: 200 }, (_value, index) => bridge.call("echo", { index }));
    expect(await Promise.all(calls)).toEqual(calls.map((_call, index) => ({ index })));
  });

  test("no Python at the path, a program that is none, and one of another version are told apart", async () => {
    const missing = await expectCode(bridgeTo(join(folder, "none")).call("echo", 1), "python-missing");
    expect(missing.message).toContain("there is no such program");
    expect(missing.hint).toContain("--python PATH");
    const notPython = await expectCode(bridgeTo(process.execPath).call("echo", 1), "bridge-ended");
    expect(notPython.message).toMatch(/ended with code 1: .*Node\.js/u);
    const other = await expectCode(
      bridgeTo(standInPython(folder, "greets as another version")).call("echo", 1),
      "bridge-garbled",
    );
    expect(other.message).toContain("expected a greeting of protocol 1");
    const nonsense = bridgeTo(standInPython(folder, "says nonsense")).call("echo", 1);
    expect((await expectCode(nonsense, "bridge-garbled")).message).toContain('got "Welcome!"');
  });

  test("a Python that ends at its start fails all that wait, at once and with its last words", async () => {
    const bridge = bridgeTo(standInPython(folder, "ends"));
    const calls = await Promise.allSettled([1, 2, 3].map((input) => bridge.call("echo", input)));
    for (const call of calls)
      expect(call).toMatchObject({
        reason: { code: "bridge-ended", message: expect.stringContaining("No module named encodings") },
      });
  });

  test("a start that never comes ends at its deadline, and leaves no process", async () => {
    const bridge = bridgeTo(standInPython(folder, "says nothing"), { startTimeoutMs: 50 });
    const call = bridge.call("echo", 1);
    const { processId } = bridge;
    const error = await expectCode(call, "deadline-exceeded");
    expect(error.message).toMatch(/^the start of .* did not come within 50 ms$/u);
    expect(isRunning(processId ?? 0)).toBe(false);
  });

  test.each([
    { method: "fail", code: "bridge-ended", says: "ended with code 3: MemoryError: too much" },
    { method: "be killed", code: "bridge-ended", says: "ended with the signal SIGKILL" },
    { method: "say nonsense", code: "bridge-garbled", says: 'got "Downloading words..."' },
    { method: "answer another", code: "bridge-garbled", says: "expected the answer to request" },
    { method: "drown", code: "bridge-garbled", says: "expected a line of at most 16777216 bytes" },
  ])("a process told to $method fails that call alone; the others go on in a new one", async (broken) => {
    const bridge = bridgeTo(python);
    const first = await bridge.call("tell the process", null);
    const [, failed, ...others] = await Promise.allSettled([
      bridge.call("echo", "before"),
      bridge.call(broken.method, null),
      bridge.call("echo", "after"),
      bridge.call("tell the process", null),
    ]);
    expect(failed).toMatchObject({
      reason: { code: broken.code, retryable: true, message: expect.stringContaining(broken.says) },
    });
    expect(others[0]).toEqual({ status: "fulfilled", value: "after" });
    expect(others[1]).toMatchObject({ status: "fulfilled", value: expect.any(Number) });
    expect(others[1]).not.toEqual({ status: "fulfilled", value: first });
    expect(isRunning(Number(first))).toBe(false);
  });

  test("one that does not answer is killed at the deadline, and the next call goes on", async () => {
    const bridge = bridgeTo(python, { callTimeoutMs: 100 });
    const first = Number(await bridge.call("tell the process", null));
    const error = await expectCode(bridge.call("hang", null), "deadline-exceeded");
    expect(error.message).toBe("the answer of Python to hang did not come within 100 ms");
    expect(error.hint).toContain("the next call starts a new process");
    expect(isRunning(first)).toBe(false);
    expect(await bridge.call("echo", "again")).toBe("again");
  });

  test("lines that nobody asked for never become somebody's answer", async () => {
    const bridge = bridgeTo(python);
    await bridge.call("chatter", null);
    const next = await Promise.allSettled([bridge.call("echo", "mine"), bridge.call("echo", "mine")]);
    for (const call of next) if (call.status === "fulfilled") expect(call.value).toBe("mine");
    expect(await bridge.call("echo", "mine")).toBe("mine");
  });

  test("what Python refuses is told with its hint, and the process stays", async () => {
    const bridge = bridgeTo(python);
    const first = await bridge.call("tell the process", null);
    const refused = await expectCode(bridge.call("refuse", null), "unknown-game");
    expect([refused.message, refused.hint, refused.boundary]).toEqual([
      "no such game",
      "did you mean another?",
      "service",
    ]);
    expect(await bridge.call("tell the process", null)).toBe(first);
  });

  test("a call that nobody waits for any more leaves the queue; one under way does not disturb the next", async () => {
    const bridge = bridgeTo(python);
    const leaving = new AbortController();
    const calls = [1, 2, 3].map((input) => bridge.call("echo", input, { signal: leaving.signal }));
    const staying = bridge.call("echo", "staying");
    leaving.abort();
    for (const call of calls) await expectCode(call, "aborted");
    expect(await staying).toBe("staying");
    await expectCode(bridge.call("echo", 1, { signal: AbortSignal.abort() }), "aborted");
  });

  test("the queue is bounded", async () => {
    const bridge = bridgeTo(python, { longestQueue: 2 });
    const calls = [1, 2, 3].map((input) => bridge.call("echo", input));
    await expectCode(bridge.call("echo", 4), "bridge-busy");
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
  });

  test("a request that is too long is refused before it is sent", async () => {
    const bridge = bridgeTo(python);
    await expectCode(bridge.call("echo", "x".repeat(17_000_000)), "game-failed");
    expect(await bridge.call("echo", "short")).toBe("short");
  });

  test("closing fails what waits, ends the process, and refuses what comes", async () => {
    const bridge = bridgeTo(python);
    const processId = Number(await bridge.call("tell the process", null));
    const calls = [bridge.call("hang", null), bridge.call("echo", 1)];
    const codes = calls.map((call) => expectCode(call, "bridge-closed"));
    await bridge.close();
    await Promise.all(codes);
    expect(isRunning(processId)).toBe(false);
    await expectCode(bridge.call("echo", 1), "bridge-closed");
    await bridge.close();
  });

  test("Python is given no keys of anybody", async () => {
    const environment = {
      ...process.env,
      OPENAI_API_KEY: "sk-mine",
      SPAR_API_KEY: "sk-mine",
      PYENV_ROOT: "there",
    };
    const told = await bridgeTo(python, { environment }).call("tell the environment", null);
    expect(told).toMatchObject({ PATH: process.env["PATH"], PYENV_ROOT: "there", PYTHONHASHSEED: "0" });
    expect(JSON.stringify(told)).not.toContain("sk-mine");
    expect(pythonEnvironment({ GITHUB_TOKEN: "x", LANG: undefined })).toEqual({
      PYTHONHASHSEED: "0",
      PYTHONUTF8: "1",
    });
  });
});
