/** Time is an argument. Only `systemClock` reads the machine's; tests pass a clock of their own. */

export interface Clock {
  /** Milliseconds since the epoch; for records that people read. */
  nowMs(): number;
  /** Milliseconds that never run backwards; for durations and rates. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
