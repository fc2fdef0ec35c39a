/** How a session with a server is begun. */
import type { Clock, Random } from "../../../base/index.ts";
import type { BackoffPolicy } from "../transport/backoff.ts";
import type { QueueReport } from "../transport/futures.ts";
import type { ProfileId } from "./profile.ts";

export interface ConnectOptions {
  /** The server's address, with what stands before `/api/v1`: `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Never written anywhere. Servers without keys take null. */
  readonly key?: string | null;
  /** Which kind of server it is; left out, the server is asked. */
  readonly profile?: ProfileId;
  /** For the server's list of sessions. */
  readonly tags?: readonly string[];
  readonly clock?: Clock;
  /** Varies pauses. */
  readonly random?: Random;
  readonly backoff?: BackoffPolicy;
  /** A call without one of its own may take so long. Default half an hour. */
  readonly timeoutMs?: number;
  /** HTTP requests under way at once, besides polls. Default 256. */
  readonly mostInFlight?: number;
  /** Polls for results under way at once. Default 1,024. */
  readonly mostPolls?: number;
  /** A poll that the server holds is asked anew after so long. Default 45 s, as the official SDK. */
  readonly pollTimeoutMs?: number;
  /** Requests that may wait for their turn. Default 100,000. */
  readonly longestQueue?: number;
  readonly largestAnswerBytes?: number;
  /** Between signs of life. Default 10 s. */
  readonly heartbeatMs?: number;
  /**
   * Fires when the server's process has ended, where somebody watches it: calls then reject with the reason at once,
   * instead of asking a server that is gone for minutes.
   */
  readonly serverEnd?: AbortSignal;
  /**
   * Whether the server is on this machine, so that it may be told folders: states and exports are then whole where they
   * are saved. A server that does not offer it is not asked. Default false.
   */
  readonly sharesFiles?: boolean;
  /** What the server says of work that waits. */
  readonly onQueue?: (report: QueueReport) => void;
}
