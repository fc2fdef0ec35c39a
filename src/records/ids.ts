/**
 * Ids of records as functions of where they stand, so that a repeated step gives the same ids and a
 * store need not keep what it can derive.
 */

/** `iteration-1/answers#12`: the n-th episode of one play inside a step. */
export function episodeIdOf(stepName: string, play: string, index: number): string {
  return `${stepName}/${play}#${index}`;
}

/** `iteration-1/answers#12:3.0`: sibling 0 of the fourth thing that happened in the episode. */
export function turnIdOf(episodeId: string, sequence: number, siblingIndex: number): string {
  return `${episodeId}:${sequence}.${siblingIndex}`;
}

/** `iteration-1/answers#12:4`: calls share the counter with turns. */
export function callIdOf(episodeId: string, sequence: number): string {
  return `${episodeId}:${sequence}`;
}
