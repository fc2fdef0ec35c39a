/**
 * Learning rates over the updates of a fit. The length of a schedule is apart from the number of
 * updates that are really done, so that a long schedule can be stopped early, as papers do.
 */
import { assert } from "../base/index.ts";

/** The learning rate of update `updateIndex`, counted from 0, of `updateCount` that will be done. */
export type Schedule = (updateIndex: number, updateCount: number) => number;

export interface ScheduleOptions {
  readonly learningRate: number;
  /** The share of the schedule in which the rate rises linearly from 0. Default 0. */
  readonly warmupShare?: number;
  /** The length of the schedule; by default the number of updates that are done. */
  readonly lengthUpdates?: number;
  /** Where the decay ends, as a share of the learning rate. Default 0. */
  readonly finalShare?: number;
}

/** The same rate throughout, after a warm-up where one is asked for. */
export function constantSchedule(options: Omit<ScheduleOptions, "finalShare">): Schedule {
  return scheduleOf(options, () => 1);
}

/**
 * Rises to the learning rate, then falls linearly to its end. Warm-up updates are rounded up; with
 * warm-up the first update has rate 0, as in the schedulers that published numbers come from.
 */
export function linearSchedule(options: ScheduleOptions): Schedule {
  return scheduleOf(options, (share) => 1 - share);
}

/** Rises to the learning rate, then falls along half a cosine to its end. */
export function cosineSchedule(options: ScheduleOptions): Schedule {
  return scheduleOf(options, (share) => (1 + Math.cos(Math.PI * share)) / 2);
}

/** `shape` goes from 1 to 0 while its argument goes from 0 to 1. */
function scheduleOf(options: ScheduleOptions, shape: (share: number) => number): Schedule {
  const { learningRate, warmupShare = 0, finalShare = 0 } = options;
  assert(
    warmupShare >= 0 && warmupShare < 1,
    `warmupShare must be at least 0 and below 1, got ${warmupShare}`,
  );
  return (updateIndex, updateCount) => {
    const length = options.lengthUpdates ?? updateCount;
    const warmup = Math.ceil(length * warmupShare);
    if (updateIndex < warmup) return (learningRate * updateIndex) / warmup;
    const share = Math.min(1, (updateIndex - warmup) / Math.max(1, length - warmup));
    return learningRate * (finalShare + (1 - finalShare) * shape(share));
  };
}
