/** Plays one episode to its end, and attributes what ended it otherwise. */
import { canonicalJson, parseJson, messageOf, withDeadline, type JsonValue } from "../base/index.ts";
import type { Game } from "../games/index.ts";
import type { Call, EpisodeEnd, Turn } from "../records/index.ts";
import { EpisodeTable } from "./episode-table.ts";
import { endsEverything, failureOf, gameError, toGameError } from "./rollout-errors.ts";
import type { EpisodeTableOptions } from "./table-options.ts";

export interface EpisodePlay {
  readonly end: EpisodeEnd;
  readonly turns: readonly Turn[];
  readonly calls: readonly Call[];
}

/**
 * Plays a game on a task at a table of its own.
 *
 * @throws what ends more than this episode: `aborted`, `engine-closed`, errors of the store
 */
export async function playEpisode<Task extends JsonValue, Outcome extends JsonValue>(
  game: Game<Task, Outcome>,
  task: Task,
  options: EpisodeTableOptions,
): Promise<EpisodePlay> {
  // Waits end at the episode's time by themselves: this one is for a game that waits for nothing.
  const slackMs = Math.max(options.replyTimeoutMs, options.callTimeoutMs);
  const timeoutMs = options.start.limits.timeMs + slackMs;
  const what = `the end of the game ${game.id}`;
  const stop = new AbortController();
  const table = new EpisodeTable({ ...options, signal: stop.signal });
  const play = async (signal: AbortSignal): Promise<Outcome> => {
    signal.addEventListener("abort", () => stop.abort(signal.reason), { once: true });
    // A copy: a game may not change what others are given.
    return game.play(table, structuredClone(task));
  };
  const end = await withDeadline({ boundary: "game", what, timeoutMs, signal: options.signal }, play).then(
    (outcome) => finishedEnd(game, table, outcome),
    (thrown: unknown) => failedEnd(game, table, thrown),
  );
  table.close();
  return { end, turns: table.turns, calls: table.calls };
}

function finishedEnd(game: { readonly id: string }, table: EpisodeTable, outcome: JsonValue): EpisodeEnd {
  // Whatever the game made of it: what failed under it decides.
  if (table.failure !== null) return failedEnd(game, table, table.failure.error);
  try {
    return { kind: "finished", outcome: checkOutcome(outcome) };
  } catch (thrown) {
    return failedEnd(game, table, thrown);
  }
}

/** @throws what ends more than this episode */
function failedEnd(game: { readonly id: string }, table: EpisodeTable, thrown: unknown): EpisodeEnd {
  const error = toGameError(table.failure?.error ?? thrown, game.id);
  if (endsEverything(error)) throw error;
  return { kind: "failed", failure: failureOf(error) };
}

function checkOutcome(outcome: JsonValue): JsonValue {
  try {
    return parseJson(canonicalJson(outcome));
  } catch (thrown) {
    throw gameError("outcome-not-json", `expected the game to return JSON: ${messageOf(thrown)}`);
  }
}
