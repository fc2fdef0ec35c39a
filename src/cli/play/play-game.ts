/** One game of a person against somebody, and what ended it where it did not come to its end. */
import {
  messageOf,
  pause,
  SparError,
  toSparError,
  type CallOptions,
  type JsonValue,
  type Random,
} from "../../base/index.ts";
import type { Match, MatchOutcome } from "../../games/index.ts";
import { humanPlayer, type LineTerminal, type Player } from "../../players/index.ts";
import type { EpisodeEnd } from "../../records/index.ts";
import { playEpisodes, unrecordedStep, type Seats, type Service } from "../../rollouts/index.ts";
import type { Shell } from "../shell.ts";
import type { LineReader } from "./line-reader.ts";
import type { TableTalk } from "./table-talk.ts";

export interface GamePlay {
  readonly match: Match;
  /** That the match calls. */
  readonly services: Readonly<Record<string, Service>>;
  readonly task: JsonValue;
  /** Of the person. */
  readonly seat: string;
  readonly opponentIn: (seat: string) => Player;
  readonly lines: LineReader;
  readonly talk: TableTalk;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly shell: Shell;
}

/** People think; a game is not lost over lunch. */
const patienceMs = 86_400_000;

const hangUpMs = 200;
/** Of opponents: they have no lunch. */
const opponentTimeoutMs = 300_000;

/** @throws what a player threw, `input-closed` among it; `aborted` */
export async function playGame(play: GamePlay): Promise<MatchOutcome> {
  const { match, task, seat, talk } = play;
  const failures: SparError[] = [];
  const watched = (player: Player, isPerson: boolean): Player => ({
    reference: player.reference,
    reply: async (request, call) => {
      if (isPerson) talk.asked(request);
      try {
        const replies = await player.reply(request, isPerson ? call : hurried(call));
        for (const reply of replies)
          if (reply.kind === "reply") talk.replied(request.seat, reply.text, isPerson);
        return replies;
      } catch (thrown) {
        failures.push(playerFailure(thrown, request.seat));
        throw thrown;
      }
    },
  });
  const terminal: LineTerminal = {
    show: (...lines) => talk.show(...lines),
    readLine: (signal) => readLine(play, signal),
  };
  const person = watched(humanPlayer({ name: "person", terminal, rules: match.rules }), true);
  const seats: Seats = Object.fromEntries(
    match.seats.map((one) => [one, one === seat ? person : watched(play.opponentIn(one), false)] as const),
  );
  const { random, signal, shell } = play;
  const [played] = await playEpisodes({
    step: unrecordedStep({ random, signal, clock: shell.clock }),
    game: match,
    tasks: [{ id: "game", task }],
    seats,
    services: play.services,
    limits: { timeMs: patienceMs },
    replyTimeoutMs: patienceMs,
    maximumFailedShare: 1,
  });
  const outcome = played?.outcome ?? null;
  if (outcome === null) throw failures[0] ?? failureOf(played?.end);
  return outcome;
}

/** Where the terminal itself went away, the signal that says so comes a moment after the end of the input. */
async function readLine({ lines, shell }: GamePlay, signal: AbortSignal): Promise<string | null> {
  const line = await lines.read();
  if (line === null && shell.input.isTerminal)
    await pause({ boundary: "command", what: "the end of the input", timeoutMs: hangUpMs, signal });
  return line;
}

function hurried(call: CallOptions): CallOptions {
  return { ...call, timeoutMs: Math.min(call.timeoutMs ?? opponentTimeoutMs, opponentTimeoutMs) };
}

function playerFailure(thrown: unknown, seat: string): SparError {
  const message = `the player of seat ${seat} failed: ${messageOf(thrown)}`;
  return toSparError(thrown, { code: "player-failed", boundary: "player", message });
}

function failureOf(end: EpisodeEnd | undefined): SparError {
  const failed = end?.kind === "failed" ? end.failure : null;
  const boundary = failed?.boundary === "player" || failed?.boundary === "service" ? failed.boundary : "game";
  return new SparError({
    code: failed?.code ?? "game-failed",
    boundary,
    message: failed?.message ?? "the game ended without an outcome",
    ...(boundary === "game" ? { hint: "this is a defect of the game" } : {}),
  });
}
