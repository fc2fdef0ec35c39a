/** Plays of which nothing is kept: games for fun, measurements, evaluations whose outcome is all that counts. */
import type { Clock, Random } from "../base/index.ts";
import type { EpisodeRecorder } from "../records/index.ts";
import type { RolloutStep } from "./play-options.ts";

/** Keeps nothing and finds nothing. */
export const unrecorded: EpisodeRecorder = {
  keepsNothing: true,
  find: () => null,
  start: () => undefined,
  turns: () => undefined,
  call: () => undefined,
  refuse: () => undefined,
  end: () => Promise.resolve(),
  setAside: () => undefined,
  annotate: () => undefined,
};

/** A step outside of any run, for `playEpisodes`: what it returns is all that remains. */
export function unrecordedStep(options: {
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}): RolloutStep {
  return {
    ...options,
    name: "play",
    recorder: unrecorded,
    progress: () => ({ advance: () => undefined, end: () => undefined }),
  };
}
