/** The real Python process behind the bridge: killed, orphaned, hung, talked over, cut off from the network. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { pause } from "../../src/base/index.ts";
import { PythonBridge } from "../../src/services/python-bridge/bridge.ts";
import { expectCode } from "../../src/testing/index.ts";
import { python, reasonToSkip } from "./python.ts";

const reason = await reasonToSkip();
const needsTextArena = await reasonToSkip("textarena");
const bridgeFile = fileURLToPath(new URL("../../src/services/python-bridge/bridge.ts", import.meta.url));

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

async function expectGone(processId: number): Promise<void> {
  const wait = { boundary: "service", what: "the end of a process", timeoutMs: 20 } as const;
  for (let tries = 0; tries < 250 && isRunning(processId); tries++) await pause(wait);
  expect(isRunning(processId), `process ${processId} is gone`).toBe(false);
}

describe.skipIf(reason !== null)("the Python process", { timeout: 60_000 }, () => {
  test("killed between and during calls, it is started anew; each call is answered or fails", async () => {
    const bridge = new PythonBridge({ python, environment: process.env });
    await bridge.call("probe", null);
    const first = bridge.processId ?? 0;
    process.kill(first, "SIGKILL");
    await expectGone(first);
    // Its end may be noticed at once or by the next call.
    const next = await Promise.allSettled([bridge.call("probe", null)]);
    if (next[0].status === "rejected") expect(next[0].reason).toMatchObject({ code: "bridge-ended" });
    expect(await bridge.call("probe", null)).toMatchObject({ executable: expect.any(String) });
    const second = bridge.processId ?? 0;
    expect(second).not.toBe(first);
    const calls = Array.from({ length: 50 }, () => bridge.call("probe", null));
    process.kill(second, "SIGKILL");
    const settled = await Promise.allSettled(calls);
    const failed = settled.filter(({ status }) => status === "rejected");
    expect(failed.length).toBeLessThanOrEqual(1);
    for (const call of failed) expect(call).toMatchObject({ reason: { code: "bridge-ended" } });
    await bridge.close();
    expect(bridge.processId).toBeNull();
  });

  test("it ends with the process that started it, also where that is killed", async () => {
    const program = `
      const { PythonBridge } = await import(${JSON.stringify(bridgeFile)});
      const bridge = new PythonBridge({ python: ${JSON.stringify(python)}, environment: process.env });
      await bridge.call("probe", null);
      console.log(bridge.processId);
      await new Promise((resolve) => setTimeout(resolve, 60_000));`;
    const parent = spawn(process.execPath, ["--conditions=source", "--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const told = await new Promise<string>(
      (resolve) => void parent.stdout.setEncoding("utf8").on("data", resolve),
    );
    const processId = Number(told.trim());
    expect(isRunning(processId)).toBe(true);
    parent.kill("SIGKILL");
    await expectGone(processId);
  });

  test("unknown methods and broken input fail that call, with where it happened", async () => {
    const bridge = new PythonBridge({ python, environment: process.env });
    const error = await expectCode(bridge.call("dance", null), "game-failed");
    expect(error.message).toContain("KeyError");
    expect(z.string().parse(error.facts["traceback"])).toContain("foreign_games.py");
    await expectCode(bridge.call("textarena", null), "game-failed");
    expect(await bridge.call("probe", null)).toMatchObject({ packages: expect.anything() });
    await bridge.close();
  });

  test.skipIf(needsTextArena !== null)(
    "what environments print is no answer, and what they would download is refused",
    async () => {
      const bridge = new PythonBridge({ python, environment: process.env });
      // It prints a line while it makes a puzzle.
      const puzzle = { game: "RushHour-v0", players: 1, seed: 1, replies: [] };
      expect(await bridge.call("textarena", puzzle)).toMatchObject({ kind: "ask", player: 0 });
      // It asks a server for its words at its start, where they were not installed.
      const words = { game: "WordLadder-v0", players: 1, seed: 1, replies: [] };
      const [told] = await Promise.allSettled([bridge.call("textarena", words)]);
      if (told.status === "rejected")
        expect(told.reason).toMatchObject({ code: "game-failed", message: expect.stringContaining("words") });
      await bridge.close();
    },
  );
});
