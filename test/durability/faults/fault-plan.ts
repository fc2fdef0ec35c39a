/**
 * What goes wrong in one process of a run, and where: drawn from a seed. Knows nothing of how a fault is
 * brought about.
 */
import type { Random } from "../../../src/base/index.ts";

const engineCalls = [
  "createModel",
  "sample",
  "sample",
  "sample",
  "computeLogprobs",
  "forward",
  "forwardBackward",
  "optimStep",
  "publish",
  "save",
  "load",
  "release",
  "releaseVersion",
] as const;

export type EngineCallName = (typeof engineCalls)[number];

/** `late` answers after the deadline, whatever its signal says; `hang` never, but for its signal. */
const engineWays = ["fail", "throw", "hang", "late", "lost", "full-disk", "twice"] as const;
const playerWays = ["throw", "hang", "late", "nothing", "twice", "megabyte", "noise", "others-turn"] as const;
const serviceWays = ["throw", "hang", "late", "nothing", "not-json", "megabyte"] as const;
const clockWays = ["forwards", "backwards", "date-forwards", "date-backwards"] as const;
/** `lost`: the commit is on the disk, and its answer an error. */
const diskWays = ["full", "failed", "lost"] as const;

/** Everything is counted from 1. */
export type Fault =
  | {
      readonly at: "engine";
      readonly call: EngineCallName;
      readonly nth: number;
      readonly way: (typeof engineWays)[number];
    }
  /** From its nth call on the engine is gone. */
  | { readonly at: "death"; readonly nth: number }
  /** The sampler keeps the weights that it had. */
  | { readonly at: "stale"; readonly nth: number }
  | { readonly at: "start"; readonly way: "throw" | "hang" | "late" }
  | { readonly at: "close"; readonly way: "throw" | "hang" }
  | { readonly at: "player"; readonly nth: number; readonly way: (typeof playerWays)[number] }
  | { readonly at: "service"; readonly nth: number; readonly way: (typeof serviceWays)[number] }
  | { readonly at: "clock"; readonly nth: number; readonly way: (typeof clockWays)[number] }
  | { readonly at: "disk"; readonly nth: number; readonly way: (typeof diskWays)[number] }
  /** Somebody presses ctrl-C at the nth call of the engine, or so much later. */
  | { readonly at: "stop"; readonly nth: number; readonly afterMs?: number }
  /** The thread of the engine dies so much later than its nth call begins. */
  | { readonly at: "thread"; readonly nth: number; readonly afterMs: number }
  /** The nth call of this name is cancelled so much later than it begins. What only reads is then asked again. */
  | {
      readonly at: "cancel";
      readonly call: CancelledCallName;
      readonly nth: number;
      readonly afterMs: number;
    };

const cancelledCalls = [
  "sample",
  "sample",
  "computeLogprobs",
  "forwardBackward",
  "optimStep",
  "save",
] as const;
export type CancelledCallName = (typeof cancelledCalls)[number];

/** Whether asking once more gives the same answer, and changes nothing. */
export function isRepeatable(call: CancelledCallName): boolean {
  return call === "sample" || call === "computeLogprobs";
}

const placesOfAll = [
  ...(["engine", "engine", "engine", "engine", "player", "player", "service", "service"] as const),
  ...(["disk", "disk", "stop", "stop", "clock", "death", "stale", "start", "close"] as const),
];
/** Of an engine with a thread of its own. */
const placesOfThread = ["thread", "thread", "cancel", "cancel", "cancel", "stop-later"] as const;

/** One to three faults. */
export function drawFaults(random: Random, hasThread: boolean): Fault[] {
  return Array.from({ length: 1 + random.integer(3) }, () => drawFault(random, hasThread));
}

function drawFault(random: Random, hasThread: boolean): Fault {
  const at = random.pick(hasThread ? [...placesOfAll, ...placesOfThread] : placesOfAll);
  switch (at) {
    case "thread":
      return { at, nth: 1 + random.integer(60), afterMs: random.integer(12) };
    case "stop-later":
      return { at: "stop", nth: 1 + random.integer(60), afterMs: 1 + random.integer(12) };
    case "cancel": {
      const call = random.pick(cancelledCalls);
      return { at, call, nth: 1 + random.integer(call === "sample" ? 20 : 3), afterMs: random.integer(8) };
    }
    case "engine": {
      const call = random.pick(engineCalls);
      const nth = 1 + random.integer(call === "sample" ? 25 : 3);
      return { at, call, nth, way: random.pick(engineWays) };
    }
    case "death":
    case "stop":
      return { at, nth: 1 + random.integer(60) };
    case "stale":
      return { at, nth: 2 + random.integer(2) };
    case "start":
      return { at, way: random.pick(["throw", "hang", "late"] as const) };
    case "close":
      return { at, way: random.pick(["throw", "hang"] as const) };
    case "player":
      return { at, nth: 1 + random.integer(20), way: random.pick(playerWays) };
    case "service":
      return { at, nth: 1 + random.integer(12), way: random.pick(serviceWays) };
    case "clock":
      return { at, nth: 1 + random.integer(150), way: random.pick(clockWays) };
    case "disk":
      return { at, nth: 1 + random.integer(20), way: random.pick(diskWays) };
  }
}

/**
 * Whether a fault may leave a trace in what a run holds at its end. Such traces are legitimate: a
 * service that failed is an answer to the game, and an episode that took an hour ran out of time.
 */
export function leavesTrace(fault: Fault): boolean {
  switch (fault.at) {
    case "service":
      return true;
    case "player":
      return fault.way === "megabyte" || fault.way === "noise";
    case "clock":
      return fault.way === "forwards" || fault.way === "backwards";
    case "engine":
    case "death":
    case "stale":
    case "start":
    case "close":
    case "disk":
    case "stop":
    case "thread":
    case "cancel":
      return false;
  }
}
