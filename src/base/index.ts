/** What every folder may use. A thing moves here after three users, not before. */
export { assert, AssertionError, present, unreachable } from "./assert.ts";
export { systemClock, type Clock } from "./clock.ts";
export { mapBounded, SerialQueue } from "./concurrency.ts";
export {
  abortedError,
  pause,
  throwIfAborted,
  withDeadline,
  type CallOptions,
  type WaitOptions,
} from "./deadline.ts";
export { Deadlines, type OpenWait, type OpenWaitOptions } from "./deadlines.ts";
export { sha256 } from "./digest.ts";
export {
  isSparError,
  messageOf,
  SparError,
  toSparError,
  type Boundary,
  type ErrorFacts,
  type SparErrorOptions,
} from "./errors.ts";
export {
  canonicalJson,
  copyJson,
  parseJson,
  type JsonObject,
  type JsonPrimitive,
  type JsonValue,
} from "./json.ts";
export { nearestName, suggestName } from "./nearest-name.ts";
export { createRandom, type Label, type Random } from "./random.ts";
