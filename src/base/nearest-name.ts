/** "Did you mean": for unknown recipes, presets, options and engines. */
import { distance } from "fastest-levenshtein";

/** The known name nearest to what was typed, or null where nothing is near enough to be meant. */
export function nearestName(typed: string, known: readonly string[]): string | null {
  let best: { name: string; edits: number } | null = null;
  for (const name of known) {
    const edits = distance(typed.toLowerCase(), name.toLowerCase());
    if (best === null || edits < best.edits) best = { name, edits };
  }
  const tolerated = Math.max(2, Math.floor(typed.length / 3));
  return best !== null && best.edits <= tolerated ? best.name : null;
}

/** A hint sentence: the nearest name where there is one, and the list of all. */
export function suggestName(typed: string, known: readonly string[]): string {
  const nearest = nearestName(typed, known);
  const list = known.length === 0 ? "none are known" : `known: ${known.join(", ")}`;
  return nearest === null ? list : `did you mean "${nearest}"? ${list}`;
}
