/**
 * What a player answered, before anything is made of it: players are written by others, and what they
 * give wrongly is told as theirs, with what was expected and what came.
 */
import type { PlayerReply } from "../players/index.ts";
import type { Turn } from "../records/index.ts";
import { playerFailure } from "./rollout-errors.ts";

/** The longest text of one reply that is taken, and stored. @unit UTF-16 code units */
export const longestReplyCharacters = 1_000_000;

/** @throws `player-failed` */
export function checkReplies(
  replies: readonly PlayerReply[],
  { count, name }: { readonly count: number; readonly name: string },
): void {
  // Types end where the player was written in JavaScript.
  if (!isList(replies) || replies.length !== count) {
    const came = isList(replies) ? `${replies.length}` : describe(replies);
    throw playerFailure(`expected ${count} ${count === 1 ? "reply" : "replies"} of ${name}, got ${came}`);
  }
  for (const reply of replies) {
    const fault = faultOf(reply);
    if (fault !== null) throw playerFailure(`expected a reply of ${name} with ${fault}`);
  }
}

function faultOf(reply: PlayerReply): string | null {
  if (reply?.kind === "limit") return null;
  if (reply?.kind !== "reply") return `kind "reply" or "limit", got ${describe(reply)}`;
  const { text, spans, logprobs } = reply;
  if (typeof text !== "string") return `a text, got ${describe(text)}`;
  if (text.length > longestReplyCharacters)
    return `at most ${longestReplyCharacters} characters, got ${text.length}`;
  if (!Array.isArray(spans)) return `spans of ids, got ${describe(spans)}`;
  if (!(logprobs instanceof Float32Array)) return `a Float32Array of logprobs, got ${describe(logprobs)}`;
  const sampledCount = countSampled(spans);
  return logprobs.length === sampledCount
    ? null
    : `a logprob for each of its ${sampledCount} sampled ids, got ${logprobs.length}`;
}

function countSampled(spans: Turn["spans"]): number {
  let count = 0;
  for (const span of spans) if (span.kind === "sampled") count += span.tokenIds.length;
  return count;
}

function isList(value: unknown): boolean {
  return Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  return typeof value === "object" ? "another object" : `a ${typeof value}`;
}
