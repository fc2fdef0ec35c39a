/** Failures of episodes: attributed once, here, to the game, the player or the service. */
import { isSparError, messageOf, SparError, toSparError } from "../base/index.ts";
import type { EpisodeEnd, Failure } from "../records/index.ts";

export type GameErrorCode =
  | "game-failed"
  | "game-endless"
  | "unknown-seat"
  | "unknown-service"
  | "unknown-turn"
  | "image-missing"
  | "departed-from-record"
  | "outcome-not-json";

export function gameError(code: GameErrorCode, message: string, hint?: string): SparError {
  return new SparError({ code, boundary: "game", message, ...(hint === undefined ? {} : { hint }) });
}

export function unknownName(kind: "seat" | "service", known: readonly string[], name: string): SparError {
  const verb = kind === "seat" ? "asked" : "called";
  const expected = known.length === 0 ? `no ${kind} at all` : `one of the ${kind}s ${known.join(", ")}`;
  return gameError(`unknown-${kind}`, `expected ${expected}, the game ${verb} ${name}`);
}

/** A game that ends while it is still waiting has asked for what it does not want to know. */
export function endedWhileWaiting(): SparError {
  return gameError(
    "game-failed",
    "the game ended before it was told everything that it had asked for",
    "await every ask and call: whether an answer comes before the end would be a matter of time",
  );
}

export function departedFromRecord(episodeId: string, expected: string): SparError {
  return gameError(
    "departed-from-record",
    `episode ${episodeId} expected ${expected}, the game did something else; the record was set aside`,
    "resume once more to play the episode anew; a game must be a pure function of what the table returns: no clock, no randomness but table.random",
  );
}

export function tooManyRefusals(count: number): SparError {
  return gameError(
    "game-endless",
    `the game went on asking ${count} times after its limits were used up`,
    "end the game on a reply of kind limit",
  );
}

export function playerFailure(message: string): SparError {
  return new SparError({ code: "player-failed", boundary: "player", message });
}

/** Whatever a player threw; engine errors keep their boundary. */
export function toPlayerError(thrown: unknown, seat: string): SparError {
  return toSparError(thrown, {
    code: "player-failed",
    boundary: "player",
    message: `the player of seat ${seat} failed: ${messageOf(thrown)}`,
  });
}

/** Whatever a service threw. */
export function toServiceError(thrown: unknown, service: string): SparError {
  return toSparError(thrown, {
    code: "service-failed",
    boundary: "service",
    message: `the service ${service} failed: ${messageOf(thrown)}`,
  });
}

/** Whatever the parser of a game threw; players are not to blame for it. */
export function toParserError(thrown: unknown, seat: string): SparError {
  return toSparError(thrown, {
    code: "game-failed",
    boundary: "game",
    message: `the game failed to read a reply of seat ${seat}: ${messageOf(thrown)}`,
    hint: "parse gives a JSON value for any text, one of a kind of its own for what cannot be read",
  });
}

/** Whatever the rules threw. */
export function toGameError(thrown: unknown, game: string): SparError {
  return toSparError(thrown, {
    code: "game-failed",
    boundary: "game",
    message: `the game ${game} failed: ${messageOf(thrown)}`,
  });
}

export function failureOf(error: SparError): Failure {
  const { code, boundary, message, retryable } = error;
  return { code, boundary, message, retryable };
}

/**
 * Whether an error is none of the episode's: the run was cancelled, the engine is gone, the disk is
 * full. The episode then stays unfinished and is gone on with when the run is resumed.
 */
export function endsEverything(error: unknown): boolean {
  if (!isSparError(error)) return false;
  return error.boundary === "store" || outerCodes.has(error.code);
}

const outerCodes = new Set([
  "aborted",
  "engine-closed",
  "engine-failed",
  "engine-lost",
  "answer-lost",
  "stale-sampler",
  "outside-step",
  "departed-from-record",
]);

/** Too much went wrong for the rest to be a fair sample. */
export function tooManyFailures(ends: readonly EpisodeEnd[], playedCount: number): SparError {
  const [first] = ends.flatMap((end) => (end.kind === "failed" ? [end.failure] : []));
  const message = `${ends.length} of ${playedCount} episodes failed; the first: ${first?.message ?? "no message"}`;
  return new SparError({
    code: "too-many-failures",
    boundary: "recipe",
    message,
    hint: "mend what failed, then resume: the failed episodes are played again, the others are kept",
    facts: { failedCount: ends.length, playedCount, firstCode: first?.code ?? null },
  });
}
