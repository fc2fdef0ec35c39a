/** Episodes, turns and calls to rows and back. Ids are derived from where a record stands, not stored. */
import { assert, type JsonValue } from "../base/index.ts";
import {
  callIdOf,
  turnIdOf,
  type Call,
  type EpisodeEnd,
  type EpisodeStart,
  type Failure,
  type PlayerReference,
  type RecordedCall,
  type RecordedEpisode,
  type RecordedRefusal,
  type RecordedTurn,
  type Turn,
  type TurnSampling,
} from "../records/index.ts";
import { CheckedTable, checksum, damagedRow, type Value } from "./checked-table.ts";
import { decodeLogprobs, decodeSpans, encodeLogprobs, encodeSpans } from "./codec.ts";
import {
  bytesOf,
  numberOf,
  numberOrNullOf,
  textOf,
  textOrNullOf,
  type Database,
  type Row,
} from "./database.ts";
import type { Placed } from "./pending-records.ts";
import { jsonOf, jsonOrNullOf, parseStored } from "./stored-json.ts";
import { storeError } from "./store-errors.ts";
import type { TextTable } from "./text-table.ts";

// Columns in the order in which the rows below are written.
const episodeColumns = "id key step game task_id task group_id seed seats limits";
const turnColumns =
  "episode sequence sibling parent_sequence parent_sibling seat player spans logprobs sampling seed finish text parsed ask duration_us elapsed_us";
const callColumns = "episode sequence service input output failure duration_us elapsed_us";
const refusalColumns = "episode sequence elapsed_us";

export class EpisodeRows {
  readonly #database: Database;
  readonly #texts: TextTable;
  readonly #episodes: CheckedTable;
  readonly #turns: CheckedTable;
  readonly #calls: CheckedTable;
  readonly #refusals: CheckedTable;

  constructor(database: Database, texts: TextTable) {
    this.#database = database;
    this.#texts = texts;
    this.#episodes = new CheckedTable(database, "episodes", episodeColumns.split(" "));
    this.#turns = new CheckedTable(database, "turns", turnColumns.split(" "));
    this.#calls = new CheckedTable(database, "calls", callColumns.split(" "));
    this.#refusals = new CheckedTable(database, "refusals", refusalColumns.split(" "));
  }

  insertStart(row: number, start: EpisodeStart): void {
    this.#episodes.insert(
      row,
      start.id,
      this.#texts.idOf(start.stepName),
      this.#texts.idOf(start.game),
      start.taskId,
      JSON.stringify(start.task),
      start.groupId,
      start.seed,
      this.#texts.idOfValue(start.seats),
      this.#texts.idOfValue(start.limits),
    );
  }

  insertTurns(turns: readonly Placed<RecordedTurn>[]): void {
    this.#turns.insertAll(turns.map((turn) => this.#turnRow(turn)));
  }

  insertCall(episode: number, { call, elapsedMs }: RecordedCall): void {
    this.#calls.insert(
      episode,
      call.sequence,
      this.#texts.idOf(call.service),
      JSON.stringify(call.input),
      JSON.stringify(call.output),
      call.failure === null ? null : JSON.stringify(call.failure),
      microseconds(call.durationMs),
      microseconds(elapsedMs),
    );
  }

  insertRefusal(episode: number, refusal: RecordedRefusal): void {
    this.#refusals.insert(episode, refusal.sequence, microseconds(refusal.elapsedMs));
  }

  setEnd(episode: number, end: EpisodeEnd): void {
    const outcome = JSON.stringify(end);
    const sql = "UPDATE episodes SET outcome = ?, outcome_crc = ? WHERE id = ?";
    this.#database.run(sql, outcome, checksum([episode, outcome]), episode);
  }

  /** The episode that counts under an id, with its row number; null where there is none. */
  find(episodeId: string): { readonly row: number; readonly episode: RecordedEpisode } | null {
    const row = this.#database.first("SELECT * FROM episodes WHERE key = ? AND superseded = 0", episodeId);
    return row === null ? null : { row: numberOf(row, "id"), episode: this.read(row) };
  }

  /** Everything about an episode, from its row. */
  read(row: Row): RecordedEpisode {
    const start = this.startOf(row);
    const id = numberOf(row, "id");
    const turns = this.#database.all("SELECT * FROM turns WHERE episode = ?", id);
    const calls = this.#database.all("SELECT * FROM calls WHERE episode = ?", id);
    const refusals = this.#database.all("SELECT * FROM refusals WHERE episode = ?", id);
    return {
      start,
      end: this.endOf(row),
      turns: turns.map((turn) => this.#turnOf(start.id, turn)),
      calls: calls.map((call) => this.#callOf(start.id, call)),
      refusals: refusals.map((refusal) => ({
        sequence: numberOf(this.#refusals.checked(refusal), "sequence"),
        elapsedMs: numberOf(refusal, "elapsed_us") / 1000,
      })),
    };
  }

  /** How an episode ended, from its row; null where it has not. */
  endOf(row: Row): EpisodeEnd | null {
    const sum = numberOrNullOf(row, "outcome_crc");
    const outcome = textOrNullOf(row, "outcome");
    if (outcome === null && sum === null) return null;
    if (outcome === null || sum !== checksum([numberOf(row, "id"), outcome])) throw damagedRow("episodes");
    return parseStored<EpisodeEnd>(outcome);
  }

  /** How an episode began, from its row. */
  startOf(row: Row): EpisodeStart {
    this.#episodes.checked(row);
    return {
      id: textOf(row, "key"),
      game: this.#texts.textOf(numberOf(row, "game")),
      taskId: textOf(row, "task_id"),
      task: jsonOf<JsonValue>(row, "task"),
      groupId: textOf(row, "group_id"),
      stepName: this.#texts.textOf(numberOf(row, "step")),
      seed: numberOf(row, "seed"),
      seats: parseStored<EpisodeStart["seats"]>(this.#texts.textOf(numberOf(row, "seats"))),
      limits: parseStored<EpisodeStart["limits"]>(this.#texts.textOf(numberOf(row, "limits"))),
    };
  }

  #turnRow({ row, turn, ask, elapsedMs }: Placed<RecordedTurn>): Value[] {
    assert(
      turn.id === turnIdOf(turn.episodeId, turn.sequence, turn.siblingIndex),
      () => `unexpected id of a turn: ${turn.id}`,
    );
    const parent = parentOf(turn);
    return [
      row,
      turn.sequence,
      turn.siblingIndex,
      parent?.sequence ?? null,
      parent?.sibling ?? null,
      this.#texts.idOf(turn.seat),
      this.#texts.idOfValue(turn.player),
      encodeSpans(turn.spans),
      encodeLogprobs(turn.logprobs),
      this.#settingsOf(turn),
      turn.sampling?.seed ?? null,
      turn.finishReason,
      turn.text,
      // Many parsers return the text; null stands for that.
      turn.parsed === turn.text ? null : JSON.stringify(turn.parsed),
      ask,
      microseconds(turn.durationMs),
      microseconds(elapsedMs),
    ];
  }

  #settingsOf({ sampling }: Turn): number | null {
    if (sampling === null) return null;
    const { seed: _own, ...settings } = sampling;
    return this.#texts.idOf(JSON.stringify(settings));
  }

  #turnOf(episodeId: string, row: Row): RecordedTurn {
    this.#turns.checked(row);
    const sequence = numberOf(row, "sequence");
    const siblingIndex = numberOf(row, "sibling");
    const parentSequence = numberOrNullOf(row, "parent_sequence");
    const text = textOf(row, "text");
    const parsed = textOrNullOf(row, "parsed");
    const turn: Turn = {
      id: turnIdOf(episodeId, sequence, siblingIndex),
      episodeId,
      seat: this.#texts.textOf(numberOf(row, "seat")),
      sequence,
      siblingIndex,
      contextParent:
        parentSequence === null ? null : turnIdOf(episodeId, parentSequence, numberOf(row, "parent_sibling")),
      player: parseStored<PlayerReference>(this.#texts.textOf(numberOf(row, "player"))),
      spans: decodeSpans(bytesOf(row, "spans")),
      logprobs: decodeLogprobs(bytesOf(row, "logprobs")),
      sampling: this.#samplingOf(row),
      finishReason: finishOf(textOrNullOf(row, "finish")),
      text,
      parsed: parsed === null ? text : parseStored<JsonValue>(parsed),
      durationMs: numberOf(row, "duration_us") / 1000,
    };
    return { turn, ask: textOf(row, "ask"), elapsedMs: numberOf(row, "elapsed_us") / 1000 };
  }

  #samplingOf(row: Row): TurnSampling | null {
    const settings = numberOrNullOf(row, "sampling");
    if (settings === null) return null;
    return {
      ...parseStored<Omit<TurnSampling, "seed">>(this.#texts.textOf(settings)),
      seed: numberOf(row, "seed"),
    };
  }

  #callOf(episodeId: string, row: Row): RecordedCall {
    this.#calls.checked(row);
    const sequence = numberOf(row, "sequence");
    const call: Call = {
      id: callIdOf(episodeId, sequence),
      episodeId,
      sequence,
      service: this.#texts.textOf(numberOf(row, "service")),
      input: jsonOf<JsonValue>(row, "input"),
      output: jsonOf<JsonValue>(row, "output"),
      failure: jsonOrNullOf<Failure>(row, "failure"),
      durationMs: numberOf(row, "duration_us") / 1000,
    };
    return { call, elapsedMs: numberOf(row, "elapsed_us") / 1000 };
  }
}

/** Whole ones, since a number with a fraction takes eight bytes. */
function microseconds(durationMs: number): number {
  return Math.round(durationMs * 1000);
}

function parentOf(turn: Turn): { readonly sequence: number; readonly sibling: number } | null {
  if (turn.contextParent === null) return null;
  const match = /:(\d+)\.(\d+)$/.exec(turn.contextParent);
  const sequence = Number(match?.[1]);
  const sibling = Number(match?.[2]);
  const isOwn = turn.contextParent === turnIdOf(turn.episodeId, sequence, sibling);
  assert(isOwn, () => `the context of ${turn.id} must come from its own episode, got ${turn.contextParent}`);
  return { sequence, sibling };
}

function finishOf(text: string | null): Turn["finishReason"] {
  if (text === null || text === "stop" || text === "length" || text === "cancelled") return text;
  throw storeError("run-corrupt", `expected a finish reason, got ${text}`);
}
