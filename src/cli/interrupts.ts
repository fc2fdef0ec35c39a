/**
 * Ways in which people and machines end a command early: ctrl-C, a signal, a reader that closed the
 * pipe. The first one asks the run to stop; the second one, or a stop that takes too long, ends the
 * process at once. What was durable stays so either way.
 */
import type { Clock } from "../base/index.ts";
import type { ExitName } from "./exit-codes.ts";

export type InterruptName = Extract<
  ExitName,
  "interrupted" | "terminated" | "hangUp" | "closedPipe" | "storage"
>;

/** The part of `process` that is needed; tests pass their own. */
export interface InterruptSource {
  on(event: NodeJS.Signals, listener: () => void): unknown;
  off(event: NodeJS.Signals, listener: () => void): unknown;
}

export interface InterruptsOptions {
  readonly source: InterruptSource;
  /** Ends the process at once, whatever it is doing. */
  readonly endAtOnce: (name: InterruptName) => void;
  /** Told about the first interrupt, to say what happens now. */
  readonly onFirst: (name: InterruptName) => void;
  readonly clock: Clock;
  /** How long a stop may take before the process ends all the same. */
  readonly graceMs: number;
}

export interface Interrupts {
  /** Fires with the first interrupt. */
  readonly signal: AbortSignal;
  /** What came first; null where nothing came. */
  readonly first: InterruptName | null;
  /** An interrupt that is not a signal: a closed pipe. */
  raise(name: InterruptName): void;
  /** Gives the signals back to the process. */
  stopListening(): void;
}

/**
 * A terminal sends ctrl-C to every process, and npm passes it on once more: what comes this soon is
 * the same wish, not a second one.
 */
const sameWishMs = 300;

const names: ReadonlyMap<NodeJS.Signals, InterruptName> = new Map([
  ["SIGINT", "interrupted"],
  ["SIGTERM", "terminated"],
  ["SIGHUP", "hangUp"],
]);

/** The signal behind an interrupt; null where it was none. */
export function signalOf(name: InterruptName): NodeJS.Signals | null {
  for (const [signal, itsName] of names) if (itsName === name) return signal;
  return null;
}

export function listenForInterrupts(options: InterruptsOptions): Interrupts {
  const controller = new AbortController();
  let first: InterruptName | null = null;
  let firstMs = 0;
  let timer: NodeJS.Timeout | null = null;

  const raise = (name: InterruptName): void => {
    const nowMs = options.clock.monotonicMs();
    if (first !== null) {
      if (nowMs - firstMs < sameWishMs) return;
      // A pipe that is closed reports every write; only a person's second wish ends at once.
      if (name !== "closedPipe" && name !== "storage") options.endAtOnce(name);
      return;
    }
    first = name;
    firstMs = nowMs;
    options.onFirst(name);
    controller.abort();
    timer = setTimeout(() => options.endAtOnce(name), options.graceMs);
    timer.unref();
  };
  const listeners = [...names].map(([signal, name]) => ({ signal, listener: () => raise(name) }));
  listeners.forEach(({ signal, listener }) => options.source.on(signal, listener));

  return {
    signal: controller.signal,
    get first() {
      return first;
    },
    raise,
    stopListening: () => {
      listeners.forEach(({ signal, listener }) => options.source.off(signal, listener));
      if (timer !== null) clearTimeout(timer);
    },
  };
}
