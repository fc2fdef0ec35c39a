/** A play as text for people to review and for tests to compare line by line. */
import type { JsonValue } from "../../base/index.ts";
import type { MatchOutcome, Segment } from "../../games/index.ts";
import type { GameEvent } from "./watched-game.ts";

/** The lines of one play. Control characters are written as escapes, so that every event keeps its lines. */
export function transcriptLines(play: {
  readonly task: JsonValue;
  readonly events: readonly GameEvent[];
  readonly outcome: MatchOutcome;
}): string[] {
  const { returns, forfeitedBy, how } = play.outcome;
  const paid = Object.entries(returns).map(([seat, value]) => `${seat} ${value}`);
  return [
    `task ${JSON.stringify(play.task)}`,
    ...play.events.flatMap(eventLines),
    `end: ${printable(how)}`,
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
      return [`${seat} replies: ${printable(text)}`, `  read as ${printable(JSON.stringify(parsed))}`];
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

/** Longer texts are cut: a transcript is for reading. */
const longestText = 500;

function printable(text: string): string {
  const shown =
    text.length > longestText ? `${text.slice(0, longestText)}... (${text.length} characters)` : text;
  return shown.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
