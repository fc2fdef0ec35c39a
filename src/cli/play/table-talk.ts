/**
 * What is said at the table while a person plays: as text for people, as JSON lines for programs.
 * What games and opponents wrote is shown with its control characters as escapes.
 */
import type { Match, MatchOutcome } from "../../games/index.ts";
import { fareOf } from "../../league/index.ts";
import type { PlayerRequest } from "../../players/index.ts";
import type { Shell } from "../shell.ts";
import { returnsText } from "../match-outcome.ts";
import { manyLines, oneLine } from "../terminal/text.ts";
import { wrap } from "../terminal/wrap.ts";

export interface GameStart {
  readonly match: Match;
  readonly gameIndex: number;
  readonly seat: string;
  /** Empty where there is none. */
  readonly opponent: string;
}

export interface Score {
  readonly won: number;
  readonly drawn: number;
  readonly lost: number;
}

export interface TableTalk {
  start(start: GameStart): void;
  /** The person is asked; text shows it through the person's own terminal. */
  asked(request: PlayerRequest): void;
  /** Lines for the person. */
  show(...lines: readonly string[]): void;
  /** A seat has replied. */
  replied(seat: string, text: string, isPerson: boolean): void;
  end(seat: string, outcome: MatchOutcome): void;
  score(score: Score): void;
}

export function textTalk(shell: Shell, match: Match): TableTalk {
  const { style } = shell.screen;
  const print = (...lines: readonly string[]): void => shell.screen.print(...lines.map(manyLines));
  // Styled after it was made safe: a style is made of control characters.
  const printHeading = (text: string): void => shell.screen.print("", style.heading(oneLine(text)));
  /** What others reply is secret where seats know different things; it is told at the end. */
  const isSecret = match.facts.information === "hidden";
  let replies: string[] = [];
  return {
    start: ({ gameIndex, seat, opponent }) => {
      replies = [];
      if (gameIndex === 0) {
        printHeading(match.title);
        print(...wrap(match.rules, shell.screen.maximumWidth));
      }
      printHeading(`Game ${gameIndex + 1}: you are ${seat}${opponent === "" ? "" : `, against ${opponent}`}`);
    },
    asked: () => print(""),
    show: print,
    replied: (seat, text, isPerson) => {
      const told = `${seat} replies ${shown(text)}`;
      replies.push(told);
      if (!isPerson && !isSecret) print("", told);
    },
    end: (seat, outcome) => {
      if (isSecret) print("", ...replies);
      if (outcome.final !== undefined) print("", outcome.final);
      printHeading(resultOf(seat, outcome));
      print(returnsText(outcome.returns));
    },
    score: ({ won, drawn, lost }) => {
      if (won + drawn + lost > 1) print(`So far: ${won} won, ${drawn} drawn, ${lost} lost`);
    },
  };
}

export function jsonTalk(shell: Shell): TableTalk {
  const print = (event: string, members: object): void =>
    shell.screen.print(JSON.stringify({ event, ...members }));
  return {
    start: ({ match, gameIndex, seat, opponent }) =>
      print("start", { game: match.id, gameIndex, seat, seats: match.seats, opponent }),
    asked: ({ seat, position, choices, segments, force }) =>
      print("ask", { seat, position, choices, force, prompt: segments }),
    // The person's terminal speaks to people.
    show: () => undefined,
    replied: (seat, text, isPerson) => print("reply", { seat, text, isPerson }),
    end: (seat, outcome) => print("end", { seat, result: fareOf(outcome, seat), ...outcome }),
    score: (score) => print("score", score),
  };
}

function resultOf(seat: string, outcome: MatchOutcome): string {
  const { forfeitedBy, how } = outcome;
  if (forfeitedBy === seat) return `You lose by forfeit: ${how}`;
  if (forfeitedBy !== null) return `You win: ${forfeitedBy} forfeited (${how})`;
  const words = { win: "You win", draw: "A draw", loss: "You lose" } as const;
  return `${words[fareOf(outcome, seat)]}: ${how}`;
}

const longestReply = 400;

function shown(text: string): string {
  return text.length <= longestReply ? text : `${text.slice(0, longestReply)}...`;
}
