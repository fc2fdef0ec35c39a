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
export { Deadlines } from "./deadlines.ts";
export { sha256, shortDigest } from "./digest.ts";
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
export { OpenWait, type OpenWaitOptions } from "./open-wait.ts";
export { createRandom, type Label, type Random } from "./random.ts";
export { seedAt, seedStream } from "./seed-stream.ts";
