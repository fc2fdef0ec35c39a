/** Waits of a table: for a player and for a service, within their deadlines and the episode's time. */
import { isSparError, withDeadline, type CallOptions, type SparError } from "../base/index.ts";
import { endsEverything, toPlayerError, toServiceError } from "./rollout-errors.ts";
import type { EpisodeTableOptions } from "./table-options.ts";

type WaitOptions = Pick<EpisodeTableOptions, "signal" | "replyTimeoutMs" | "callTimeoutMs">;

/** What the player answered, or `time` where the episode's own time ended first. */
export async function waitForPlayer<T>(
  options: WaitOptions,
  wait: { readonly seat: string; readonly leftMs: number },
  ask: (call: CallOptions) => Promise<T>,
): Promise<T | "time"> {
  const timeoutMs = Math.min(options.replyTimeoutMs, wait.leftMs);
  const what = `the reply of seat ${wait.seat}`;
  try {
    return await withDeadline({ boundary: "player", what, timeoutMs, signal: options.signal }, (signal) =>
      ask({ signal, timeoutMs }),
    );
  } catch (thrown) {
    if (isDeadline(thrown) && wait.leftMs <= options.replyTimeoutMs) return "time";
    throw toPlayerError(thrown, wait.seat);
  }
}

export type ServiceAnswer<T> =
  | { readonly kind: "output"; readonly output: T }
  | { readonly kind: "failure"; readonly error: SparError };

/** What the service answered; its failures are values for the game. */
export async function waitForService<T>(
  options: WaitOptions,
  wait: { readonly service: string; readonly leftMs: number },
  perform: (call: CallOptions) => Promise<T>,
): Promise<ServiceAnswer<T> | "time"> {
  const timeoutMs = Math.min(options.callTimeoutMs, wait.leftMs);
  const what = `the answer of service ${wait.service}`;
  try {
    const output = await withDeadline(
      { boundary: "service", what, timeoutMs, signal: options.signal },
      (signal) => perform({ signal, timeoutMs }),
    );
    return { kind: "output", output };
  } catch (thrown) {
    if (isDeadline(thrown) && wait.leftMs <= options.callTimeoutMs) return "time";
    const error = toServiceError(thrown, wait.service);
    if (endsEverything(error)) throw error;
    return { kind: "failure", error };
  }
}

function isDeadline(thrown: unknown): boolean {
  return isSparError(thrown) && thrown.code === "deadline-exceeded";
}
