/** Plays one episode to its end, and attributes what ended it otherwise. */
import {
  canonicalJson,
  parseJson,
  isSparError,
  messageOf,
  withDeadline,
  type JsonValue,
} from "../base/index.ts";
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

/** The longest that a timer can wait. */
const longestTimeoutMs = 2 ** 31 - 1;

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
  const table = new EpisodeTable(options);
  const end = await playToEnd(game, task, { table, options });
  return { end, turns: table.turns, calls: table.calls };
}

async function playToEnd<Task extends JsonValue, Outcome extends JsonValue>(
  game: Game<Task, Outcome>,
  task: Task,
  at: { readonly table: EpisodeTable; readonly options: EpisodeTableOptions },
): Promise<EpisodeEnd> {
  const { table, options } = at;
  // Waits end at the episode's time by themselves: this one is for a game that waits for nothing.
  const slackMs = Math.max(options.replyTimeoutMs, options.callTimeoutMs);
  const timeoutMs = Math.min(options.start.limits.timeMs + slackMs, longestTimeoutMs);
  const what = `the end of the game ${game.id}`;
  try {
    // A copy: a game may not change what others are given.
    const play = async (): Promise<Outcome> => game.play(table, structuredClone(task));
    const outcome = await withDeadline({ boundary: "game", what, timeoutMs, signal: options.signal }, play);
    if (table.failure !== null) throw table.failure.error;
    return { kind: "finished", outcome: checkOutcome(outcome) };
  } catch (thrown) {
    const error = toGameError(table.failure?.error ?? thrown, game.id);
    if (endsEverything(error)) throw error;
    return { kind: "failed", failure: failureOf(error) };
  }
}

function checkOutcome(outcome: JsonValue): JsonValue {
  try {
    return parseJson(canonicalJson(outcome));
  } catch (thrown) {
    if (isSparError(thrown)) throw thrown;
    throw gameError("outcome-not-json", `expected the game to return JSON: ${messageOf(thrown)}`);
  }
}
