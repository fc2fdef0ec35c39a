/** "Did you mean": for unknown recipes, presets, options and engines. */
import { distance } from "fastest-levenshtein";

/** The known name nearest to what was typed, or the only one that begins with it; null where none can be meant. */
export function nearestName(typed: string, known: readonly string[]): string | null {
  let best: { name: string; edits: number } | null = null;
  for (const name of known) {
    const edits = distance(typed.toLowerCase(), name.toLowerCase());
    if (best === null || edits < best.edits) best = { name, edits };
  }
  const tolerated = Math.max(2, Math.floor(typed.length / 3));
  if (best !== null && best.edits <= tolerated) return best.name;
  const longer = known.filter((name) => name.toLowerCase().startsWith(typed.toLowerCase()));
  return typed.length >= shortestBeginning && longer.length === 1 ? (longer[0] ?? null) : null;
}

const shortestBeginning = 3;
const longestList = 300;

/** A hint sentence: the nearest name where there is one, and the list of all, unless that would bury the name. */
export function suggestName(typed: string, known: readonly string[]): string {
  const nearest = nearestName(typed, known);
  const list = known.length === 0 ? "none are known" : `known: ${known.join(", ")}`;
  if (nearest === null) return list;
  return list.length > longestList ? `did you mean "${nearest}"?` : `did you mean "${nearest}"? ${list}`;
}
