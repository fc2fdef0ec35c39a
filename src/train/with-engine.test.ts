import { expect, test } from "vitest";
import type { Engine } from "../contract/index.ts";
import { createFakeEngine, expectCode } from "../testing/index.ts";
import type { RunEvent } from "./observer.ts";
import { withEngine, type EngineUse } from "./with-engine.ts";

const notices: string[] = [];

const using = (engineFactory: () => Promise<Engine>): EngineUse => ({
  engineFactory,
  observer: (event: RunEvent) => void (event.kind === "notice" && notices.push(event.text)),
  startTimeoutMs: 10_000,
  closeTimeoutMs: 20,
});

test("an engine that does not start is an error of the engine, whatever it threw", async () => {
  const started = withEngine(
    using(() => Promise.reject(new Error("no such device"))),
    async () => 1,
  );
  expect(await expectCode(started, "engine-failed")).toMatchObject({
    boundary: "engine",
    message: "the engine did not start: no such device",
  });
});

test.each([
  ["fails to close", () => Promise.reject(new Error("it was gone")), "it was gone"],
  ["never closes", () => Promise.withResolvers<never>().promise, "did not come within 20 ms"],
])("an engine that %s changes nothing about how the run ended", async (_title, close, told) => {
  notices.length = 0;
  const broken = using(async () => Object.assign(createFakeEngine(), { close }));
  expect(await withEngine(broken, async () => 1)).toBe(1);
  const failed = withEngine(broken, () => Promise.reject(new Error("the run itself failed")));
  await expect(failed).rejects.toThrow("the run itself failed");
  expect(notices).toEqual([expect.stringContaining(told), expect.stringContaining(told)]);
});
