import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadlines } from "./deadlines.ts";
import { isSparError, type SparError } from "./errors.ts";
import { OpenWait, type OpenWaitOptions } from "./open-wait.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const options = (timeoutMs: number, what = "the answer") => ({
  boundary: "player" as const,
  what,
  timeoutMs,
});

class ToldWait extends OpenWait {
  readonly #options: OpenWaitOptions;
  readonly #onEnd: (error: SparError) => void;

  constructor(options: OpenWaitOptions, onEnd: (error: SparError) => void) {
    super();
    this.#options = options;
    this.#onEnd = onEnd;
  }

  about(): OpenWaitOptions {
    return this.#options;
  }

  protected ended(error: SparError): void {
    this.#onEnd(error);
  }
}

function open(deadlines: Deadlines, about: OpenWaitOptions, onEnd: (error: SparError) => void): OpenWait {
  const wait = new ToldWait(about, onEnd);
  deadlines.begin(wait, about.timeoutMs);
  return wait;
}

test("each wait ends at its own time and is told what it waited for, however many there are", () => {
  const deadlines = new Deadlines();
  const ended: [number, number][] = [];
  const startMs = performance.now();
  for (const timeoutMs of [500, 20, 40_000, 20, 100]) {
    open(deadlines, options(timeoutMs, `answer ${timeoutMs}`), (error) => {
      expect(error).toMatchObject({ code: "deadline-exceeded", boundary: "player", retryable: true });
      expect(error.message).toBe(`answer ${timeoutMs} did not come within ${timeoutMs} ms`);
      ended.push([timeoutMs, performance.now() - startMs]);
    });
  }
  expect(vi.getTimerCount(), "one timer for all").toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(ended.map(([timeoutMs]) => timeoutMs).toSorted((a, b) => a - b)).toEqual([20, 20, 100, 500, 40_000]);
  for (const [timeoutMs, atMs] of ended) {
    expect(atMs).toBeGreaterThanOrEqual(timeoutMs);
    expect(atMs).toBeLessThanOrEqual(timeoutMs + 5);
  }
  expect(vi.getTimerCount()).toBe(0);
});

test("what comes in time closes its wait, and what comes late is told so", () => {
  const deadlines = new Deadlines();
  const errors: SparError[] = [];
  const inTime = open(deadlines, options(100), (error) => errors.push(error));
  const late = open(deadlines, options(100), (error) => errors.push(error));
  expect(inTime.close()).toBe(true);
  expect(inTime.close(), "once").toBe(false);
  vi.advanceTimersByTime(200);
  expect(errors).toHaveLength(1);
  expect(late.close()).toBe(false);
  expect([inTime.signal.aborted, late.signal.aborted]).toEqual([false, true]);
  expect(late.signal.reason).toBe(errors[0]);
});

test("one signal ends all waits, and those that come later", async () => {
  const controller = new AbortController();
  const deadlines = new Deadlines(controller.signal);
  const errors: string[] = [];
  const waits = [1, 2, 3].map(() => open(deadlines, options(100), ({ code }) => errors.push(code)));
  controller.abort();
  expect(errors).toEqual(["aborted", "aborted", "aborted"]);
  expect(waits.every(({ signal }) => signal.aborted)).toBe(true);
  open(deadlines, options(100), ({ code }) => errors.push(`later ${code}`));
  await Promise.resolve();
  expect(errors.at(-1)).toBe("later aborted");
  expect(vi.getTimerCount()).toBe(0);
});

test("a wait that is given up tells the work and nobody else", () => {
  const deadlines = new Deadlines();
  const wait = open(deadlines, options(100), () => expect.unreachable());
  wait.giveUp();
  expect(wait.signal.aborted).toBe(true);
  vi.advanceTimersByTime(200);
  expect(wait.close()).toBe(false);
});

test("waiting for a promise gives what it gives, or the error of the wait", async () => {
  const deadlines = new Deadlines();
  expect(await deadlines.wait(options(100), async () => 7)).toBe(7);
  await expect(
    deadlines.wait(options(100), () => {
      throw new RangeError("at once");
    }),
  ).rejects.toThrow("at once");
  await expect(
    deadlines.wait(options(100), async () => Promise.reject(new RangeError("mine"))),
  ).rejects.toThrow("mine");
  let inner: AbortSignal | null = null;
  const long = deadlines.wait(options(50), (signal) => ((inner = signal), new Promise(() => undefined)));
  const thrown = long.catch((error: unknown) => error);
  vi.advanceTimersByTime(60);
  expect(await thrown).toSatisfy((error) => isSparError(error) && error.code === "deadline-exceeded");
  expect(inner).toMatchObject({ aborted: true });
});

test("a wait beyond what a timer holds is a long one, and a closed list leaves no timer", () => {
  const deadlines = new Deadlines();
  open(deadlines, options(Number.POSITIVE_INFINITY), () => expect.unreachable());
  vi.advanceTimersByTime(86_400_000);
  expect(vi.getTimerCount()).toBe(1);
  deadlines.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("a signal of one wait ends it alone, and a wait that has ended no longer listens to it", async () => {
  const deadlines = new Deadlines();
  const controller = new AbortController();
  const never = (): Promise<never> => new Promise(() => undefined);
  const alone = deadlines
    .wait({ ...options(100), signal: controller.signal }, never)
    .catch((error: unknown) => error);
  const other = deadlines.wait(options(100), async () => 7);
  const add = vi.spyOn(controller.signal, "addEventListener");
  const remove = vi.spyOn(controller.signal, "removeEventListener");
  await deadlines.wait({ ...options(100), signal: controller.signal }, async () => 8);
  expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([1, 1]);
  controller.abort();
  expect(await alone).toMatchObject({ code: "aborted", message: "the answer was cancelled" });
  expect(await other).toBe(7);
  const start = vi.fn<() => Promise<number>>(async () => 9);
  await expect(deadlines.wait({ ...options(100), signal: controller.signal }, start)).rejects.toMatchObject({
    code: "aborted",
  });
  expect(start, "what is cancelled is not begun").not.toHaveBeenCalled();
});

test("when the last promise has come no timer is left that would keep the process", async () => {
  const deadlines = new Deadlines();
  const [slow, release] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  const both = [slow, release].map(({ promise }) => deadlines.wait(options(1000), () => promise));
  slow.resolve(1);
  await both[0];
  expect(vi.getTimerCount()).toBe(1);
  release.resolve(2);
  await both[1];
  expect(vi.getTimerCount()).toBe(0);
});
