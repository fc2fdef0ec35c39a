/**
 * How the engine's thread learns that a call was cancelled: between two pieces of work it hears its messages. Knows
 * no call.
 */
import { abortedError } from "../../../base/index.ts";

/** Lets the thread hear its messages. @throws `aborted` where the call was cancelled */
export async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  checkWanted(signal);
}

/** What was made and nobody waits for any more nobody can release either. */
export async function unlessCancelled(signal: AbortSignal, release: () => void): Promise<void> {
  try {
    // A message that came meanwhile is heard after the first turn of the event loop.
    await breathe(signal);
    await breathe(signal);
  } catch (aborted) {
    release();
    throw aborted;
  }
}

/** @throws `aborted` */
export function checkWanted(signal: AbortSignal): void {
  if (signal.aborted) throw abortedError({ boundary: "engine", what: "a call on the embedded engine" });
}
