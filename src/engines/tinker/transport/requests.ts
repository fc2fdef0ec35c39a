/**
 * Requests with another try where one helps: after a broken connection, a busy or failing server, a token that ran
 * out. Whether a request may be sent twice is said by whoever sends it. Knows no model and no loss.
 */
import { isSparError, type Clock, type ErrorFacts, type Random } from "../../../base/index.ts";
import { answerLost, serverFailure, tinkerError } from "../errors.ts";
import { parseJsonBytes } from "../wire/answers.ts";
import { Backoff, type BackoffPolicy } from "./backoff.ts";
import type { Credentials } from "./credentials.ts";
import { Gate } from "./gate.ts";
import { ConnectionLost, type Http, type HttpAnswer, type HttpRequest } from "./http.ts";
import { failureText } from "./failure-text.ts";

export interface RequestsOptions {
  readonly http: Http;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly random: Random;
  readonly backoff: BackoffPolicy;
  readonly mostInFlight: number;
  readonly mostPolls: number;
  readonly pollTimeoutMs: number;
  readonly longestQueue: number;
}

export interface SendOptions extends Omit<HttpRequest, "timeoutMs"> {
  /** One attempt's. Default 60 s. */
  readonly timeoutMs?: number;
  /** Whether sending it twice does no harm. */
  readonly canRepeat: boolean;
}

const attemptTimeoutMs = 60_000;

/** Where results are waited for. */
export const pollPath = "retrieve_future";

const mostConflicts = 3;

export class Requests {
  readonly #options: RequestsOptions;
  readonly #gate: Gate;
  /** Polls wait on the server, so they have a gate of their own: work could not be sent for all the waiting. */
  readonly #polls: Gate;

  constructor(options: RequestsOptions) {
    this.#options = options;
    const { longestQueue, mostInFlight, mostPolls } = options;
    this.#gate = new Gate({ what: "requests", limit: mostInFlight, longestQueue });
    this.#polls = new Gate({ what: "polls", limit: mostPolls, longestQueue });
  }

  /**
   * Sends until there is an answer that says yes or no for good.
   *
   * @throws `answer-lost` where it may not be repeated and nobody knows; `server-unreachable`, `request-refused`,
   * `key-refused`, `not-found`, `engine-failed`, `aborted`
   */
  async send(options: SendOptions): Promise<HttpAnswer> {
    const { method, path, signal, canRepeat } = options;
    const what = `${method} ${path}`;
    const backoff = this.backoff(what, signal);
    let conflictCount = 0;
    let mayHaveArrived = false;
    for (;;) {
      const outcome = await this.attempt(options);
      mayHaveArrived ||= outcome instanceof ConnectionLost ? !outcome.wasNotSent : outcome.status >= 500;
      if (outcome instanceof ConnectionLost) {
        if (!canRepeat && !outcome.wasNotSent) throw answerLost(what, outcome);
        if (backoff.isOver) throw unreachable(what, outcome, { mayHaveArrived });
      } else if (outcome.status >= 200 && outcome.status < 400) {
        return outcome;
      } else {
        conflictCount += outcome.status === 409 ? 1 : 0;
        if (outcome.status >= 500 && !canRepeat) throw answerLost(what, refusal(what, outcome));
        const helps = canRetry(outcome.status) && conflictCount <= mostConflicts && !backoff.isOver;
        // What is refused for good was looked at; what is given up may have been carried out in an earlier try.
        if (!helps) throw refusal(what, outcome, canRetry(outcome.status) ? { mayHaveArrived } : {});
      }
      await backoff.pause(outcome instanceof ConnectionLost ? null : askedPauseMs(outcome.headers));
    }
  }

  /** JSON of an answer. */
  async sendJson(options: SendOptions): Promise<unknown> {
    const answer = await this.send(options);
    return parseJsonBytes(answer.bytes, `${options.method} ${options.path}`);
  }

  /** One try, with a new token where the old one ran out. */
  async attempt(options: Omit<SendOptions, "canRepeat">): Promise<HttpAnswer | ConnectionLost> {
    const { http, credentials } = this.#options;
    const request: HttpRequest = { timeoutMs: attemptTimeoutMs, ...options };
    const gate = options.path === pollPath ? this.#polls : this.#gate;
    const exchange = async (): Promise<HttpAnswer> =>
      gate.run(options.signal, async () => http.exchange(request, await credentials.current()));
    try {
      const answer = await exchange();
      return answer.status === 401 && credentials.forget() ? await exchange() : answer;
    } catch (thrown) {
      if (thrown instanceof ConnectionLost) return thrown;
      throw thrown;
    }
  }

  /** One poll's, before it is asked anew. */
  get pollTimeoutMs(): number {
    return this.#options.pollTimeoutMs;
  }

  backoff(what: string, signal: AbortSignal): Backoff {
    const { backoff: policy, clock, random } = this.#options;
    return new Backoff({ policy, clock, random, what, signal });
  }
}

/** 409 is a lock that others hold; it is tried a few times. */
export function canRetry(status: number): boolean {
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
}

/** What the server asks for with 429 and 503. */
export function askedPauseMs(headers: Headers): number | null {
  const exact = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(exact)) return exact;
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}

export function unreachable(what: string, cause: unknown, facts: ErrorFacts = {}): Error {
  return tinkerError(
    "server-unreachable",
    `${what}: no answer from the server, although it was tried again and again`,
    {
      hint: "look whether the server runs and the address is right",
      retryable: true,
      cause,
      facts,
    },
  );
}

/** An answer that says no, as an error. */
export function refusal(
  what: string,
  answer: HttpAnswer,
  { mayHaveArrived }: { readonly mayHaveArrived?: boolean } = {},
): Error {
  const { status } = answer;
  const failure = failureText(answer);
  const text = `${what}: the server answered ${status}: ${failure.message}`;
  const doubt = mayHaveArrived === undefined ? {} : { mayHaveArrived };
  const facts = { status, ...doubt };
  switch (status) {
    case 401:
    case 403:
      return tinkerError("key-refused", text, { facts, hint: "give the server's key" });
    case 402:
      return tinkerError("payment-required", text, { facts, retryable: true });
    case 404:
      return tinkerError("not-found", text, { facts });
    default:
      return status >= 400 && status < 500 && status !== 429 && status !== 408
        ? serverFailure({ what, status, category: "user", ...failure, ...doubt })
        : serverFailure({ what, status, category: "server", ...failure, ...doubt });
  }
}

/** For loops that try again whatever broke below. */
export function isConnectionError(thrown: unknown): boolean {
  return isSparError(thrown) && (thrown.code === "connection-lost" || thrown.code === "server-unreachable");
}
