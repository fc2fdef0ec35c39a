/**
 * A play as text: for people to review, for tests to compare line by line, and to play it again, since
 * the draws and the replies can be read back from it.
 */
import { parseJson, type JsonValue } from "../../base/index.ts";
import type { MatchOutcome, Segment } from "../../games/index.ts";
import type { GameEvent } from "./watched-game.ts";

/** The lines of one play. */
export function transcriptLines(play: {
  readonly task: JsonValue;
  readonly events: readonly GameEvent[];
  readonly end: readonly string[];
}): string[] {
  return [`task ${JSON.stringify(play.task)}`, ...play.events.flatMap(eventLines), ...play.end];
}

export function gameEndLines(outcome: JsonValue): string[] {
  return [`outcome: ${printable(JSON.stringify(outcome))}`];
}

export function matchEndLines({ returns, forfeitedBy, how, final }: MatchOutcome): string[] {
  const paid = Object.entries(returns).map(([seat, value]) => `${seat} ${value}`);
  return [
    `end: ${printable(how)}`,
    ...(final === undefined ? [] : indented("final", final)),
    `returns: ${paid.join(", ")}${forfeitedBy === null ? "" : `; forfeited by ${forfeitedBy}`}`,
  ];
}

function eventLines(event: GameEvent): string[] {
  switch (event.kind) {
    case "draw":
      return [`draw ${event.label}: ${printable(JSON.stringify(event.outcome) ?? "undefined")}`];
    case "random":
      return [`random ${event.label}`];
    case "ask":
      return [
        `ask ${event.seat}`,
        ...event.prompt.flatMap(segmentLines),
        ...(event.position === null ? [] : indented("position", event.position)),
        ...(event.choices === null ? [] : [`  choices: ${event.choices.map(printable).join(" | ")}`]),
      ];
    case "reply": {
      const { seat, reply } = event;
      if (reply.kind === "limit") return [`${seat} cannot reply: ${reply.limit} used up`];
      const { text, parsed } = reply.turn;
      return [
        `${seat} replies: ${printable(JSON.stringify(text))}`,
        `  read as ${printable(JSON.stringify(parsed))}`,
      ];
    }
    case "call":
      return [
        `call ${event.service}: ${printable(JSON.stringify(event.input))}`,
        `  gives ${printable(JSON.stringify(event.outcome))}`,
      ];
    default:
      return event satisfies never;
  }
}

function segmentLines(segment: Segment): string[] {
  return segment.kind === "image"
    ? [`  ${segment.role}, image ${segment.imageDigest}`]
    : indented(segment.role, segment.text);
}

function indented(name: string, text: string): string[] {
  return text.split("\n").map((line) => `  ${name}: ${printable(line)}`.trimEnd());
}

/** What happened in a play and was not the game's own doing. */
export interface Script {
  readonly task: JsonValue;
  /** By label, as JSON. */
  readonly draws: ReadonlyMap<string, string>;
  /** In order. */
  readonly replies: readonly { readonly seat: string; readonly text: string }[];
}

/** Reads back what `transcriptLines` wrote. */
export function readScript(lines: readonly string[]): Script {
  const matches = (pattern: RegExp): readonly (readonly [string, string])[] =>
    lines.flatMap((line) => {
      const [, name, value] = pattern.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    });
  const [[, task] = ["", "null"]] = matches(/^(task) (.*)$/u);
  return {
    task: parseJson(task),
    draws: new Map(matches(/^draw (.*?): (.*)$/u)),
    replies: matches(/^(\S.*) replies: (".*")$/u).map(([seat, text]) => ({
      seat,
      text: textOf(parseJson(text)),
    })),
  };
}

function textOf(value: JsonValue): string {
  return typeof value === "string" ? value : "";
}

/** Control characters as JSON writes them, so that an event keeps its lines and a terminal its peace. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_unit, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
