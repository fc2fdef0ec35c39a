/** How a match ended, in words: for who plays and for who reads a record. */
import type { JsonValue } from "../base/index.ts";
import type { MatchOutcome } from "../games/index.ts";
import { oneLine } from "./terminal/text.ts";

/** `first +1, second -1` */
export function returnsText(returns: MatchOutcome["returns"]): string {
  return Object.entries(returns)
    .map(([seat, value]) => `${oneLine(seat)} ${value > 0 ? "+" : ""}${value}`)
    .join(", ");
}

/** `first -2, second 0: unreadable reply`; outcomes of games that are no matches as JSON. */
export function outcomeText(outcome: JsonValue): string {
  return isMatchOutcome(outcome)
    ? `${returnsText(outcome.returns)}: ${oneLine(outcome.how)}`
    : oneLine(JSON.stringify(outcome));
}

function isMatchOutcome(value: JsonValue): value is MatchOutcome {
  if (!isObject(value) || typeof value["how"] !== "string" || !isObject(value["returns"])) return false;
  return Object.values(value["returns"]).every((one) => typeof one === "number");
}

function isObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
