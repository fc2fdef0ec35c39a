/**
 * An episode as text, from the record alone: task, seats, turns and calls in the order of the game,
 * what was said about them later, how it ended. Prompts are shown as text where a tokenizer is at
 * hand, as the number of their tokens elsewhere.
 */
import type { JsonValue } from "../../base/index.ts";
import type {
  Annotation,
  Call,
  EpisodeEnd,
  PlayerReference,
  RecordedEpisode,
  Span,
  Turn,
} from "../../records/index.ts";
import { countOf, formatDuration } from "../terminal/format.ts";
import type { Style } from "../terminal/style.ts";
import { manyLines, oneLine } from "../terminal/text.ts";

export interface EpisodeTextOptions {
  readonly annotations: readonly Annotation[];
  /** Text of token ids; null where the run holds no tokenizer. */
  readonly decode: ((tokenIds: readonly number[]) => string) | null;
  readonly style: Style;
}

const indent = "    ";

export function episodeLines(episode: RecordedEpisode, options: EpisodeTextOptions): string[] {
  const { start, end } = episode;
  const { style } = options;
  const seats = Object.entries(start.seats).map(
    ([seat, player]) => `  ${oneLine(seat)}: ${playerText(player)}`,
  );
  const happened = [
    ...episode.turns.map(({ turn }) => ({
      order: turn.sequence,
      sibling: turn.siblingIndex,
      lines: turnLines(turn, options),
    })),
    ...episode.calls.map(({ call }) => ({ order: call.sequence, sibling: 0, lines: callLines(call, style) })),
  ].toSorted((left, right) => left.order - right.order || left.sibling - right.sibling);
  const aboutEpisode = options.annotations.filter(({ target }) => target.kind !== "turn");
  return [
    style.heading(`episode ${oneLine(start.id)}`),
    `game ${oneLine(start.game)}, task ${oneLine(start.taskId)}, group ${oneLine(start.groupId)}, seed ${start.seed}`,
    `task: ${jsonText(start.task)}`,
    "seats:",
    ...seats,
    ...happened.flatMap(({ lines }) => ["", ...lines]),
    "",
    ...aboutEpisode.map((annotation) => annotationText(annotation)),
    endText(end),
  ];
}

function turnLines(turn: Turn, options: EpisodeTextOptions): string[] {
  const { style } = options;
  const about = options.annotations.filter(
    ({ target }) => target.kind === "turn" && target.turnId === turn.id,
  );
  const facts = [
    turn.logprobs.length === 0 ? "" : countOf(turn.logprobs.length, "token"),
    turn.logprobs.length === 0 ? "" : `mean log-probability ${meanOf(turn.logprobs).toFixed(3)}`,
    turn.finishReason ?? "",
    formatDuration(turn.durationMs),
  ].filter((fact) => fact !== "");
  const sibling = turn.siblingIndex === 0 ? "" : ` sibling ${turn.siblingIndex}`;
  const extendsText =
    turn.contextParent === null ? "" : style.faint(` (extends ${oneLine(turn.contextParent)})`);
  return [
    `${style.heading(`[${turn.sequence}] ${oneLine(turn.seat)}${sibling}`)} ${style.faint(facts.join(", "))}${extendsText}`,
    ...turn.spans
      .filter(({ kind }) => kind !== "sampled")
      .map((span) => style.faint(`${indent}${spanText(span, options)}`)),
    ...manyLines(turn.text)
      .split("\n")
      .map((line) => `${indent}${line}`),
    ...(turn.parsed === turn.text || turn.parsed === null
      ? []
      : [`${indent}parsed: ${jsonText(turn.parsed)}`]),
    ...about.map((annotation) => `${indent}${annotationText(annotation)}`),
  ];
}

function spanText(span: Span, options: EpisodeTextOptions): string {
  if (span.kind === "image")
    return `image ${span.imageDigest.slice(0, 12)}, ${countOf(span.positionCount, "position")}`;
  const word = span.kind === "forced" ? "forced" : "prompt";
  if (options.decode === null) return `${word}: ${countOf(span.tokenIds.length, "token")}`;
  return `${word}: ${oneLine(options.decode(span.tokenIds))}`;
}

function callLines(call: Call, style: Style): string[] {
  const outcome =
    call.failure === null
      ? `output: ${jsonText(call.output)}`
      : `failed at ${call.failure.boundary} (${call.failure.code}): ${oneLine(call.failure.message)}`;
  return [
    `${style.heading(`[${call.sequence}] call ${oneLine(call.service)}`)} ${style.faint(formatDuration(call.durationMs))}`,
    `${indent}input: ${jsonText(call.input)}`,
    `${indent}${outcome}`,
  ];
}

function playerText(player: PlayerReference): string {
  const version =
    player.version === null ? "" : `, ${oneLine(player.version.modelId)} version ${player.version.number}`;
  return `${oneLine(player.name)} (${player.kind}${version})`;
}

function annotationText(annotation: Annotation): string {
  const name = oneLine(annotation.name);
  switch (annotation.kind) {
    case "value":
      return `${name}: ${jsonText(annotation.value)}`;
    case "verdict":
      return `${name}: ${verdictText(annotation.verdict)}`;
    case "reward": {
      const parts = Object.entries(annotation.components);
      const sum = parts.reduce((total, [, value]) => total + value, 0);
      return `${name}: ${sum} = ${parts.map(([part, value]) => `${oneLine(part)} ${value}`).join(" + ")}`;
    }
  }
}

function verdictText(verdict: Extract<Annotation, { kind: "verdict" }>["verdict"]): string {
  switch (verdict.kind) {
    case "pass":
      return "pass";
    case "fail":
      return `fail (${oneLine(verdict.reason)})`;
    case "error":
      return `error of the checker (${oneLine(verdict.error)})`;
  }
}

function endText(end: EpisodeEnd | null): string {
  if (end === null) return "not finished: it goes on when the run is resumed";
  if (end.kind === "finished") return `outcome: ${jsonText(end.outcome)}`;
  return `failed at ${end.failure.boundary} (${end.failure.code}): ${oneLine(end.failure.message)}`;
}

function jsonText(value: JsonValue): string {
  return oneLine(JSON.stringify(value));
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
