/**
 * Waits for the result of a future: asks again while it is not there, through broken connections and busy servers,
 * and tells what the queue is doing. Work that failed is never asked for again. Knows nothing of what the work was.
 */
import { z } from "zod";
import { answerLost, serverFailure } from "../errors.ts";
import type { Backoff } from "./backoff.ts";
import { failureOf } from "./failure-text.ts";
import { ConnectionLost, protobufType, type HttpAnswer } from "./http.ts";
import { parseJsonBytes } from "../wire/answers.ts";
import { askedPauseMs, pollPath, refusal, unreachable, type Requests } from "./requests.ts";

export type QueueState = "active" | "paused-capacity" | "paused-rate-limit" | "unknown";

/** What the server says of work that waits. */
export interface QueueReport {
  readonly what: string;
  readonly state: QueueState;
  readonly reason: string | null;
}

export interface ResultOptions {
  readonly requestId: string;
  /** For messages: "forward_backward of model m". */
  readonly what: string;
  /** For the server's statistics: `ForwardBackward`. */
  readonly requestType: string;
  readonly isBinary: boolean;
  readonly signal: AbortSignal;
  readonly onQueue?: (report: QueueReport) => void;
  /** Sends the work again where the server forgot it; left out where that could apply it twice. */
  readonly resubmit?: () => Promise<string>;
  /** Whether the work changes nothing, so that a lost result is only a failure. */
  readonly isHarmless: boolean;
}

/** A result as it came. */
export type RawResult =
  | { readonly kind: "binary"; readonly bytes: Uint8Array }
  | { readonly kind: "json"; readonly value: unknown };

/** As long as the official SDK lets a poll last. */
const lifeTimeoutMs = 10_000;
const leastPauseMs = 20;
const mostResubmissions = 3;
const mostEmptyRefusals = 3;

const tryAgain = z.object({
  type: z.literal("try_again"),
  queue_state: z.string().nullish(),
  queue_state_reason: z.string().nullish(),
});
const queueBody = z.object({ queue_state: z.string(), queue_state_reason: z.string().nullish() });
const failed = z.object({ error: z.unknown(), category: z.string().nullish() });

/** @throws what the work failed with; `answer-lost`, `server-unreachable`, `unexpected-answer`, `aborted` */
export async function awaitResult(requests: Requests, options: ResultOptions): Promise<RawResult> {
  const poll = new Poll(requests, options);
  for (;;) {
    const result = await poll.ask();
    if (result !== null) return result;
  }
}

class Poll {
  readonly #requests: Requests;
  readonly #options: ResultOptions;
  readonly #backoff: Backoff;
  #requestId: string;
  #iteration = 0;
  #resubmissionCount = 0;
  #emptyRefusalCount = 0;

  constructor(requests: Requests, options: ResultOptions) {
    this.#requests = requests;
    this.#options = options;
    this.#requestId = options.requestId;
    this.#backoff = requests.backoff("retrieve_future", options.signal);
  }

  /** One poll; null where another is needed. */
  async ask(): Promise<RawResult | null> {
    const { requestType, isBinary, signal } = this.#options;
    const outcome = await this.#requests.attempt({
      method: "POST",
      path: pollPath,
      body: { type: "json", value: { request_id: this.#requestId } },
      headers: {
        "X-Tinker-Request-Iteration": String(this.#iteration++),
        "X-Tinker-Request-Type": requestType,
        ...(isBinary ? { Accept: `${protobufType}, application/json` } : {}),
      },
      timeoutMs: this.#requests.pollTimeoutMs,
      signal,
    });
    if (outcome instanceof ConnectionLost)
      return outcome.wasLate && (await this.#isServerAlive())
        ? this.#askAgain()
        : this.#tryLater(outcome, null);
    if (outcome.status === 200) return this.#read(outcome);
    return this.#refused(outcome);
  }

  async #read(answer: HttpAnswer): Promise<RawResult | null> {
    this.#backoff.reset();
    const { what } = this.#options;
    if ((answer.headers.get("content-type") ?? "").includes(protobufType))
      return { kind: "binary", bytes: answer.bytes };
    const value = parseJsonBytes(answer.bytes, `the result of ${what}`);
    const waiting = tryAgain.safeParse(value);
    if (waiting.success) {
      this.#report(waiting.data.queue_state, waiting.data.queue_state_reason);
      return this.#askAgain();
    }
    const failure = failed.safeParse(value);
    if (failure.success && failure.data.error !== undefined) {
      throw serverFailure({ what, category: failure.data.category ?? "unknown", ...failureOf(value) });
    }
    return { kind: "json", value };
  }

  async #refused(answer: HttpAnswer): Promise<null> {
    const { status } = answer;
    if (status === 408) {
      this.#backoff.reset();
      const parsed = queueBody.safeParse(bodyOf(answer));
      if (parsed.success) this.#report(parsed.data.queue_state, parsed.data.queue_state_reason);
      return this.#askAgain();
    }
    if (status === 410) return this.#resubmit(answer);
    if (status === 429 || status === 402 || status >= 500)
      return this.#tryLater(refusal(this.#options.what, answer), askedPauseMs(answer.headers));
    // A proxy's, not the server's.
    if (status === 400 && answer.bytes.length === 0 && this.#emptyRefusalCount++ < mostEmptyRefusals)
      return this.#tryLater(refusal(this.#options.what, answer), null);
    const error = refusal(this.#options.what, answer);
    if (status === 404 && !this.#options.isHarmless) throw answerLost(this.#options.what, error);
    throw error;
  }

  /** Servers hold polls for minutes while they work; one that is gone does not answer this either. */
  async #isServerAlive(): Promise<boolean> {
    const { signal } = this.#options;
    const request = { method: "GET", path: "healthz", timeoutMs: lifeTimeoutMs, signal } as const;
    return !((await this.#requests.attempt(request)) instanceof ConnectionLost);
  }

  /** The server has waited already; a moment more, for one that does not. */
  async #askAgain(): Promise<null> {
    await this.#backoff.pause(leastPauseMs);
    this.#backoff.reset();
    return null;
  }

  async #tryLater(cause: Error, askedMs: number | null): Promise<null> {
    const { what, isHarmless } = this.#options;
    if (this.#backoff.isOver) throw isHarmless ? unreachable(what, cause) : answerLost(what, cause);
    await this.#backoff.pause(askedMs);
    return null;
  }

  async #resubmit(answer: HttpAnswer): Promise<null> {
    const { resubmit, what, isHarmless } = this.#options;
    const error = refusal(what, answer);
    if (resubmit === undefined) throw isHarmless ? error : answerLost(what, error);
    if (this.#resubmissionCount >= mostResubmissions) throw unreachable(what, error);
    this.#resubmissionCount += 1;
    try {
      this.#requestId = await resubmit();
    } catch (thrown) {
      // It was taken once: a refusal now, of its number for one, says nothing of what was done then.
      throw isHarmless ? thrown : answerLost(what, thrown);
    }
    return null;
  }

  #report(state: string | null | undefined, reason: string | null | undefined): void {
    const { onQueue, what } = this.#options;
    onQueue?.({ what, state: queueStates[state ?? ""] ?? "unknown", reason: reason ?? null });
  }
}

const queueStates: Readonly<Record<string, QueueState>> = {
  active: "active",
  paused_capacity: "paused-capacity",
  paused_rate_limit: "paused-rate-limit",
};

function bodyOf(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(answer.bytes));
  } catch {
    return null;
  }
}
