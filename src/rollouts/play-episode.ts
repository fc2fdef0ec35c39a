/** Plays one episode to its end, and attributes what ended it otherwise. */
import { copyJson, messageOf, type JsonValue } from "../base/index.ts";
import type { Game } from "../games/index.ts";
import type { Call, EpisodeEnd, Turn } from "../records/index.ts";
import { EpisodeTable } from "./episode-table.ts";
import { endedWhileWaiting, endsEverything, failureOf, gameError, toGameError } from "./rollout-errors.ts";
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
  const table = new EpisodeTable(options);
  const end = await playToEnd(game, task, { table, options });
  return { end, turns: table.turns, calls: table.calls };
}

async function playToEnd<Task extends JsonValue, Outcome extends JsonValue>(
  game: Game<Task, Outcome>,
  task: Task,
  { table, options }: { readonly table: EpisodeTable; readonly options: EpisodeTableOptions },
): Promise<EpisodeEnd> {
  // Waits end at the episode's time by themselves: this one is for a game that waits for nothing.
  const slackMs = Math.max(options.replyTimeoutMs, options.callTimeoutMs);
  const timeoutMs = options.start.limits.timeMs + slackMs;
  const what = `the end of the game ${game.id}`;
  try {
    const outcome = await options.deadlines.wait({ boundary: "game", what, timeoutMs }, async () =>
      // A copy: a game may not change what others are given. Copied as JSON, it is of the same type.
      game.play(table, copyJson(task) as Task),
    );
    return finishedEnd(game, table, outcome);
  } catch (thrown) {
    return failedEnd(game, table, thrown);
  } finally {
    table.close();
  }
}

function finishedEnd(game: { readonly id: string }, table: EpisodeTable, outcome: JsonValue): EpisodeEnd {
  // Whatever the game made of it: what failed under it decides.
  if (table.failure !== null) throw table.failure.error;
  if (table.isWaiting) throw endedWhileWaiting();
  table.checkRecordTold();
  return { kind: "finished", outcome: checkOutcome(game, outcome) };
}

/** @throws what ends more than this episode */
function failedEnd(game: { readonly id: string }, table: EpisodeTable, thrown: unknown): EpisodeEnd {
  const error = toGameError(table.failure?.error ?? thrown, game.id);
  if (endsEverything(error)) throw error;
  return { kind: "failed", failure: failureOf(error) };
}

function checkOutcome(game: { readonly id: string }, outcome: JsonValue): JsonValue {
  const hint = "return what the episode came to as a JSON value, null where there is nothing to say";
  if (outcome === undefined)
    throw gameError("outcome-not-json", `expected the game ${game.id} to return an outcome, got none`, hint);
  try {
    return copyJson(outcome);
  } catch (thrown) {
    throw gameError(
      "outcome-not-json",
      `expected the game ${game.id} to return JSON: ${messageOf(thrown)}`,
      hint,
    );
  }
}
