/**
 * An analysis that never waits would keep the event loop to itself: no ctrl-C would be heard and no
 * progress shown. Those that last draw breath here now and then, and end where they are no longer wanted.
 */
import { throwIfAborted } from "../../base/index.ts";

/** One round of the event loop. @throws `aborted` where the signal has fired */
export async function breathe(signal: AbortSignal | undefined, what: string): Promise<void> {
  await new Promise<void>((resolve) => void setImmediate(resolve));
  throwIfAborted(signal, { boundary: "game", what });
}
