/**
 * How a call on the fake engine runs: counted, queued, delayed, struck by its fault, within its
 * deadline, and ended by a signal or by closing the engine. Knows nothing of what calls do.
 */
import { Deadlines, throwIfAborted, type CallOptions, type SerialQueue } from "../../base/index.ts";
import { engineError } from "../../contract/index.ts";
import type { Timer } from "../timer.ts";
import {
  FaultPlan,
  injectedFailure,
  lostAnswer,
  type CallFault,
  type FakeCallKind,
  type FakeFault,
} from "./faults.ts";

/** What a test reads about a call afterwards. */
export interface FakeCall {
  readonly kind: FakeCallKind;
  /** Name of the model or address of the version. */
  readonly subject: string;
  readonly outcome: "under-way" | "answered" | "failed";
}

export interface FakeCallsOptions {
  readonly timer: Timer;
  /** Each call takes so long, or each call of a kind. */
  readonly latencyMs: number | Readonly<Partial<Record<FakeCallKind, number>>>;
  readonly faults: readonly FakeFault[];
  readonly defaultTimeoutMs: number;
  readonly remembersCalls: boolean;
}

export interface CallSite {
  readonly kind: FakeCallKind;
  readonly subject: string;
  readonly call: CallOptions | undefined;
  /** Calls of one queue run one after another. */
  readonly queue?: SerialQueue;
}

/** What the body of a call gets. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly fault: CallFault | null;
}

export class FakeCalls {
  readonly plan: FaultPlan;
  readonly #options: FakeCallsOptions;
  readonly #closing = new AbortController();
  /** One timer for all calls: thousands are under way at once. */
  readonly #deadlines = new Deadlines(this.#closing.signal);
  readonly #log: FakeCall[] = [];
  #round: Promise<void> | null = null;

  constructor(options: FakeCallsOptions) {
    this.#options = options;
    this.plan = new FaultPlan(options.faults);
  }

  /** All calls so far, in the order of submission. */
  get log(): readonly FakeCall[] {
    return this.#log;
  }

  close(): void {
    this.#closing.abort();
  }

  /** Stops when the engine is closed. @throws `engine-closed` */
  checkOpen(): void {
    if (this.#closing.signal.aborted)
      throw engineError("engine-closed", "expected an open engine, this one was closed");
  }

  async run<T>(site: CallSite, perform: (context: CallContext) => Promise<T> | T): Promise<T> {
    this.checkOpen();
    const fault = this.plan.next(site.kind);
    const nth = this.plan.count(site.kind);
    const end = this.#begin(site);
    const what = `the answer of the fake engine to ${site.kind}`;
    const wait = {
      boundary: "engine" as const,
      what,
      timeoutMs: site.call?.timeoutMs ?? this.#options.defaultTimeoutMs,
      ...(site.call?.signal === undefined ? {} : { signal: site.call.signal }),
    };
    const job = async (signal: AbortSignal): Promise<T> => {
      throwIfAborted(signal, wait);
      await this.#delay(site.kind, signal);
      throwIfAborted(signal, wait);
      if (fault?.kind === "hang") await forever(signal);
      if (fault?.kind === "fail") throw fault.error ?? injectedFailure(site.kind, nth);
      const result = await perform({ signal, fault });
      if (fault?.kind === "lose-answer") throw lostAnswer(site.kind);
      return result;
    };
    try {
      const result = await this.#deadlines.wait(wait, (signal) =>
        site.queue === undefined ? job(signal) : site.queue.add(() => job(signal)),
      );
      end("answered");
      return result;
    } catch (thrown) {
      end("failed");
      throw thrown;
    }
  }

  /** Writes a call down; what is returned says how it ended. */
  #begin({ kind, subject }: CallSite): (outcome: FakeCall["outcome"]) => void {
    if (!this.#options.remembersCalls) return () => undefined;
    const index = this.#log.push({ kind, subject, outcome: "under-way" }) - 1;
    return (outcome) => void (this.#log[index] = { kind, subject, outcome });
  }

  /** Even without latency a call leaves the event loop free once. */
  async #delay(kind: FakeCallKind, signal: AbortSignal): Promise<void> {
    await this.#nextRound();
    const { latencyMs } = this.#options;
    const durationMs = typeof latencyMs === "number" ? latencyMs : (latencyMs[kind] ?? 0);
    if (durationMs > 0) await this.#options.timer.wait(durationMs, signal);
  }

  /** Calls of one round wait for the next one together. */
  #nextRound(): Promise<void> {
    this.#round ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#round = null;
        resolve();
      });
    });
    return this.#round;
  }
}

/** Ends with the signal alone. */
function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
