import { afterEach, expect, test, vi } from "vitest";
import { abortedError, pause, throwIfAborted, withDeadline, type WaitOptions } from "./deadline.ts";
import { isSparError, type SparError } from "./errors.ts";

const wait: WaitOptions = { boundary: "engine", what: "the answer", timeoutMs: 1000 };
const never = (): Promise<never> => new Promise(() => undefined);

afterEach(() => void vi.useRealTimers());

async function failureOf(waiting: Promise<unknown>): Promise<SparError> {
  const thrown = await waiting.then(
    () => null,
    (error: unknown) => error,
  );
  if (isSparError(thrown)) return thrown;
  throw new Error("expected a SparError");
}

test("what comes in time is passed on, a value or an error, and no timer stays behind", async () => {
  vi.useFakeTimers();
  expect(await withDeadline(wait, async () => 7)).toBe(7);
  await expect(
    withDeadline(wait, async () => {
      throw new RangeError("mine");
    }),
  ).rejects.toThrow(RangeError);
  await expect(
    withDeadline(wait, () => {
      throw new RangeError("at once");
    }),
  ).rejects.toThrow("at once");
  expect(vi.getTimerCount()).toBe(0);
});

test("a wait that is too long says for what and how long, can be tried again, and tells the work", async () => {
  vi.useFakeTimers();
  let inner: AbortSignal | null = null;
  const failure = failureOf(withDeadline(wait, (signal) => ((inner = signal), never())));
  await vi.advanceTimersByTimeAsync(999);
  expect(inner).toMatchObject({ aborted: false });
  await vi.advanceTimersByTimeAsync(1);
  expect(await failure).toMatchObject({
    code: "deadline-exceeded",
    boundary: "engine",
    message: "the answer did not come within 1000 ms",
    retryable: true,
  });
  expect(inner).toMatchObject({ aborted: true });
});

test.each([2 ** 31, 1e12, Number.POSITIVE_INFINITY])(
  "a deadline of %d ms, beyond what a timer can hold, is a long wait and not a short one",
  async (timeoutMs) => {
    vi.useFakeTimers();
    let isSettled = false;
    void withDeadline({ ...wait, timeoutMs }, never)
      .catch(() => undefined)
      .then(() => (isSettled = true));
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(isSettled).toBe(false);
  },
);

test("a signal ends the wait and tells the work, before it or during it, and is let go afterwards", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const [added, removed] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")];
  await withDeadline({ ...wait, signal }, async () => 1);
  let inner: AbortSignal | null = null;
  const failure = failureOf(withDeadline({ ...wait, signal }, (given) => ((inner = given), never())));
  controller.abort();
  expect((await failure).code).toBe("aborted");
  expect(inner).toMatchObject({ aborted: true });
  expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
  let isStarted = false;
  const late = await failureOf(withDeadline({ ...wait, signal }, async () => (isStarted = true)));
  expect([late.code, isStarted]).toEqual(["aborted", false]);
  expect(() => throwIfAborted(signal, wait)).toThrow(abortedError(wait).message);
  throwIfAborted(undefined, wait);
});

test("a pause lasts as long as it says, ends with its signal, and leaves no timer behind", async () => {
  vi.useFakeTimers();
  const controller = new AbortController();
  let isOver = false;
  void pause({ ...wait, signal: controller.signal }).then(() => (isOver = true));
  await vi.advanceTimersByTimeAsync(999);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(isOver).toBe(true);
  const failure = failureOf(pause({ ...wait, signal: controller.signal }));
  controller.abort();
  expect((await failure).code).toBe("aborted");
  expect((await failureOf(pause({ ...wait, signal: controller.signal }))).code).toBe("aborted");
  expect(vi.getTimerCount()).toBe(0);
});
