/** What a game asked, as a short digest: by it a replay notices that a game departs from its record. */
import { shortDigest, type JsonValue } from "../base/index.ts";
import type { Ask, Segment } from "../games/index.ts";

/** Over seat, number of siblings and everything of the ask but the parser. */
export function askDigest<Parsed extends JsonValue>(
  { seat, count, ask }: { readonly seat: string; readonly count: number; readonly ask: Ask<Parsed> },
  prompt: readonly Segment[],
): string {
  const { from, maxTokens, stopStrings, force } = ask;
  const parts = [
    seat,
    count,
    prompt,
    from?.turnId ?? null,
    maxTokens ?? null,
    stopStrings ?? [],
    force ?? null,
  ];
  return shortDigest(JSON.stringify(parts));
}
