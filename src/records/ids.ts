/**
 * Ids of records as functions of where they stand, so that a repeated step gives the same ids and a
 * store need not keep what it can derive.
 */

/** `iteration-1/answers#12`: the n-th episode of one play inside a step. */
export function episodeIdOf(stepName: string, play: string, index: number): string {
  return `${episodeIdsOf(stepName, play)}${index}`;
}

/** What the ids of the episodes of one play begin with; their numbers follow. */
export function episodeIdsOf(stepName: string, play: string): string {
  return `${stepName}/${play}#`;
}

/** Plays by name, episodes of one play by number: #2 comes before #10. */
export function compareEpisodeIds(a: string, b: string): number {
  const [playA, playB] = [a.slice(0, a.lastIndexOf("#")), b.slice(0, b.lastIndexOf("#"))];
  if (playA !== playB) return playA < playB ? -1 : 1;
  return Number(a.slice(playA.length + 1)) - Number(b.slice(playB.length + 1));
}

/** `iteration-1/answers#12:3.0`: sibling 0 of the fourth thing that happened in the episode. */
export function turnIdOf(episodeId: string, sequence: number, siblingIndex: number): string {
  // In two parts, the second mostly shared: every turn that is kept keeps the parts of its id.
  const place = siblingIndex === 0 ? firstSiblings[sequence] : undefined;
  return `${episodeId}${place ?? `:${sequence}.${siblingIndex}`}`;
}

const firstSiblings = Array.from({ length: 64 }, (_value, sequence) => `:${sequence}.0`);

/** `iteration-1/answers#12:4`: calls share the counter with turns. */
export function callIdOf(episodeId: string, sequence: number): string {
  return `${episodeId}:${sequence}`;
}
