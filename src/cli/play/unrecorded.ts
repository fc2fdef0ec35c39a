/** A step that plays outside of any run: nothing of it is kept. */
import type { Clock, Random } from "../../base/index.ts";
import type { EpisodeRecorder } from "../../records/index.ts";
import type { RolloutStep } from "../../rollouts/index.ts";

const unrecorded: EpisodeRecorder = {
  find: () => null,
  start: () => undefined,
  turns: () => undefined,
  call: () => undefined,
  refuse: () => undefined,
  end: () => Promise.resolve(),
  setAside: () => undefined,
  annotate: () => undefined,
};

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
