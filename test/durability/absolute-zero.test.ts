/** A run of Absolute Zero that stopped in the middle of a step goes on with the buffers and draws that it had. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { smallRun } from "../../recipes/absolute-zero/fixtures/small-run.ts";
import { recipe } from "../../recipes/absolute-zero/recipe.ts";
import { systemClock } from "../../src/base/index.ts";
import { createFakeEngine, expectCode, type FakeCallKind, type FakeEngine } from "../../src/testing/index.ts";
import { resumeRun, startRun } from "../../src/train/index.ts";

vi.setConfig({ testTimeout: 240_000 });

const root = mkdtempSync(join(tmpdir(), "spar-absolute-zero-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const common = { recipe, engineFactory: async () => createFakeEngine({}), clock: systemClock };

function begin(name: string, engine: FakeEngine, signal?: AbortSignal): ReturnType<typeof startRun> {
  return startRun({
    ...common,
    engineFactory: async () => engine,
    folder: join(root, name),
    preset: "nano",
    overrides: smallRun,
    seed: 3,
    engineName: "fake",
    software: { spar: "test", node: "test", commit: null },
    ...(signal === undefined ? {} : { signal }),
    observer: () => undefined,
  });
}

test("a run that stopped between two replies, or in its last update, ends as one that did not", async () => {
  const first = createFakeEngine({ remembersCalls: true });
  const whole = await begin("unstopped", first);
  const countOf = (engine: FakeEngine, call: FakeCallKind): number =>
    engine.calls.log.filter(({ kind }) => kind === call).length;
  const places: readonly (readonly [call: FakeCallKind, nth: number])[] = [
    ["sample", Math.round(0.7 * countOf(first, "sample"))],
    ["optimStep", countOf(first, "optimStep")],
  ];
  for (const [call, nth] of places) {
    const stop = new AbortController();
    const engine = createFakeEngine({ remembersCalls: true, faults: [{ kind: "hang", call, nth }] });
    const name = `stopped-${call}-${nth}`;
    const running = begin(name, engine, stop.signal);
    await vi.waitFor(() => expect(countOf(engine, call)).toBeGreaterThanOrEqual(nth), 60_000);
    stop.abort(new Error("enough"));
    await expectCode(running, "aborted");
    const { result } = await resumeRun({ ...common, folder: join(root, name) });
    expect(result, name).toEqual(whole.result);
  }
});
