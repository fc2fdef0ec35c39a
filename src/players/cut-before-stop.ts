/** Where the text of a reply ends that was stopped by a string, for players that sample. */

/** The text before the first stop that it holds. */
export function cutBeforeStop(text: string, stopStrings: readonly string[]): string {
  const places = stopStrings.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
  return places.length === 0 ? text : text.slice(0, Math.min(...places));
}
