/** `spar play GAME`: a person sits down against the result of a run, a script, or a model behind an address. */
import type { Command } from "commander";
import {
  createRandom,
  isSparError,
  messageOf,
  parseJson,
  SparError,
  suggestName,
  type JsonValue,
} from "../../base/index.ts";
import type { Match, MatchOutcome } from "../../games/index.ts";
import { fareOf } from "../../league/index.ts";
import { findGame, type LocatedGame } from "../discovery/games.ts";
import { pythonGameName, startPythonGame } from "../discovery/python-games.ts";
import type { InterruptName } from "../interrupts.ts";
import { LineReader } from "../play/line-reader.ts";
import { findOpponent, type Opponent } from "../play/opponent.ts";
import { playGame, type GamePlay } from "../play/play-game.ts";
import { jsonTalk, textTalk, type TableTalk } from "../play/table-talk.ts";
import type { Shell } from "../shell.ts";
import { decimalNumber, wholeNumber } from "./number-argument.ts";
import { addCommonOptions } from "./recipe-options.ts";

interface PlayOptions {
  readonly against: string;
  readonly seat?: string;
  readonly model?: string;
  readonly policy?: string;
  readonly policyVersion?: number;
  readonly temperature?: number;
  readonly games?: number;
  readonly task?: string;
  readonly seed?: number;
  readonly engine?: string;
  readonly recipe?: string;
  readonly runsFolder?: string;
  readonly python?: string;
  readonly json?: boolean;
}

export function addPlayCommand(program: Command, shell: Shell): void {
  const command = program
    .command("play <game>")
    .description("sit down at a game: against the result of a run, a script, or a model behind an address")
    .option(
      "--against <opponent>",
      "random, perfect, a run, or the address of a server of the OpenAI-compatible protocol",
      "random",
    )
    .option(
      "--seat <name>",
      "your seat in the first game; else the first one. Seats change from game to game",
    )
    .option("--policy <name>", "which model of the run; else the one that sat in the seat")
    .option("--policy-version <number>", "which version of it; else the last", wholeNumber({ minimum: 1 }))
    .option(
      "--model <name>",
      "what the server calls its model; SPAR_API_KEY holds its key, where it wants one",
    )
    .option(
      "--temperature <number>",
      "of a model; else 0 in games of perfect information, and 1 where replies must be mixed",
      decimalNumber({ minimum: 0 }),
    )
    .option("--games <count>", "how many, without asking for another", wholeNumber({ minimum: 1 }))
    .option("--task <json>", "the task of the game; else that of the run, else the game's usual one")
    .option("--seed <number>", "where the randomness comes from; else the clock", wholeNumber({ minimum: 0 }))
    .option("-e, --engine <id>", "what holds the tensors; else the engine of the run")
    .option("--recipe <path>", "the recipe file, where the run was begun with one of yours")
    .option("--runs-folder <folder>", "where runs are kept; else SPAR_RUNS, else ./runs")
    .option("--python <path>", "the Python that has open-spiel or textarena, for their games; else python3")
    .option("--json", "one JSON object per line, for programs; replies are lines of standard input")
    .addHelpText("after", playEpilogue)
    .action((game: string, options: PlayOptions) => play(game, options, shell));
  addCommonOptions(command);
}

const playEpilogue = `
Type a reply and press Enter; ? shows the rules, ctrl-D leaves.
perfect is computed first, for small games of two seats where one gets what the other loses:
best replies, and where seats know different things the mixed ones of an equilibrium.

  spar play tic-tac-toe --against perfect
  spar play kuhn-poker --against perfect --games 10
  spar play tic-tac-toe --against games-nano-1 --seat O
  spar play kuhn-poker --against http://localhost:8000/v1 --model my-model
  spar play open-spiel:connect_four
  spar play textarena:TicTacToe-v0 --python ~/games/bin/python`;

async function play(typed: string, options: PlayOptions, shell: Shell): Promise<void> {
  const located = await locateGame(typed, options, shell);
  try {
    await sitDown(located, options, shell);
  } finally {
    await located.close();
  }
}

function locateGame(typed: string, { python }: PlayOptions, shell: Shell): Promise<LocatedGame> {
  const { place, workingFolder, environment } = shell;
  const ofPython = pythonGameName(typed);
  if (ofPython === null) return findGame({ typed, place, workingFolder });
  return startPythonGame(ofPython, { python, environment });
}

async function sitDown(
  { game: match, services }: LocatedGame,
  options: PlayOptions,
  shell: Shell,
): Promise<void> {
  const firstSeat = seatIndexOf(match, options.seat);
  const typedTask = options.task === undefined ? null : taskOf(options.task);
  const interrupts = shell.listenForInterrupts(leavingNotice);
  const { against, json, seed, games, ...choices } = options;
  const isMixed = match.facts.information === "hidden";
  const opponent = await findOpponent({
    ...choices,
    typed: against,
    match,
    services,
    task: typedTask,
    temperature: options.temperature ?? (isMixed ? 1 : 0),
    shell,
    signal: interrupts.signal,
  });
  try {
    await playGames({
      match,
      services,
      opponent,
      task: typedTask ?? opponent.task ?? match.defaultTask,
      firstSeat,
      gameCount: games ?? null,
      seed: seed ?? Math.floor(shell.clock.nowMs()),
      talk: json === true ? jsonTalk(shell) : textTalk(shell, match),
      lines: new LineReader(shell.input.lines()),
      signal: interrupts.signal,
      shell,
    });
  } finally {
    await opponent.close();
  }
}

interface Sitting {
  readonly match: Match;
  readonly services: LocatedGame["services"];
  readonly opponent: Opponent;
  readonly task: JsonValue;
  readonly firstSeat: number;
  /** Null: one, or as many as a person at a terminal wants. */
  readonly gameCount: number | null;
  readonly seed: number;
  readonly talk: TableTalk;
  readonly lines: LineReader;
  readonly signal: AbortSignal;
  readonly shell: Shell;
}

async function playGames(sitting: Sitting): Promise<void> {
  const { match, opponent, talk, signal, shell } = sitting;
  const random = createRandom(sitting.seed);
  const counts = { win: 0, draw: 0, loss: 0 };
  for (let gameIndex = 0; ; gameIndex++) {
    const seat = match.seats[(sitting.firstSeat + gameIndex) % match.seats.length] ?? "";
    const others = match.seats.filter((one) => one !== seat);
    const label = [...new Set(others.map((one) => opponent.labelIn(one)))].join(" and ");
    talk.start({ match, gameIndex, seat, opponent: label });
    const outcome = await playOne({
      match,
      services: sitting.services,
      task: sitting.task,
      seat,
      opponentIn: (one) => opponent.playerIn(one),
      lines: sitting.lines,
      talk,
      random: random.split("game", gameIndex),
      signal,
      shell,
    });
    if (outcome === null) return;
    talk.end(seat, outcome);
    counts[fareOf(outcome, seat)]++;
    talk.score({ won: counts.win, drawn: counts.draw, lost: counts.loss });
    if (!(await wantsAnother(sitting, gameIndex + 1))) return;
  }
}

/** The outcome; null where the person at the terminal left with ctrl-D, which is no error. */
async function playOne(play: GamePlay): Promise<MatchOutcome | null> {
  try {
    return await playGame(play);
  } catch (thrown) {
    const hasLeft = isSparError(thrown) && thrown.code === "input-closed" && play.shell.input.isTerminal;
    if (!hasLeft) throw thrown;
    play.shell.screen.notice(...leavingNotice("interrupted"));
    return null;
  }
}

/** @throws `aborted` */
async function wantsAnother(sitting: Sitting, playedCount: number): Promise<boolean> {
  const { gameCount, shell, lines, signal } = sitting;
  if (signal.aborted) throw leftError();
  if (gameCount !== null) return playedCount < gameCount;
  if (!shell.input.isTerminal) return false;
  shell.screen.notice("", "Another game with seats changed? Enter for yes, n for no");
  const left = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(leftError()), { once: true });
  });
  const line = await Promise.race([lines.read(), left]);
  return line !== null && !/^\s*(n|no|q|quit)\s*$/iu.test(line);
}

function leftError(): SparError {
  return new SparError({ code: "aborted", boundary: "command", message: "the table was left" });
}

function leavingNotice(name: InterruptName): string[] {
  const isSeen = name === "interrupted" || name === "terminated";
  return isSeen ? ["", "you left the table; an unfinished game counts for nothing"] : [];
}

/** @throws `unknown-seat` */
function seatIndexOf(match: Match, typed: string | undefined): number {
  const index = typed === undefined ? 0 : match.seats.indexOf(typed);
  if (index >= 0) return index;
  throw new SparError({
    code: "unknown-seat",
    boundary: "command",
    message: `${match.id} has no seat "${typed ?? ""}"`,
    hint: suggestName(typed ?? "", match.seats),
  });
}

/** @throws `invalid-option` */
function taskOf(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (thrown) {
    throw new SparError({
      code: "invalid-option",
      boundary: "command",
      message: `expected the task as JSON, got ${JSON.stringify(text)}: ${messageOf(thrown)}`,
      hint: `give it like --task '{"isExplained": false}'`,
    });
  }
}
