/** The version of the records as they lie in a run folder. Another one is refused, never guessed at. */
export const recordsVersion = 2;
