/**
 * Plays many episodes at once and gives them back in the order of their tasks. What an interrupted
 * try of the same step left is taken from the record: finished episodes whole, unfinished ones go on
 * where they were. Failures stay with their episode; the others go on. Knows no method.
 */
import { abortedError, Deadlines, isSparError, type JsonValue } from "../base/index.ts";
import type { EpisodeEnd, RecordedEpisode } from "../records/index.ts";
import { Breath } from "./breath.ts";
import { earlierTry, EpisodeStarts } from "./episode-starts.ts";
import { runInLanes } from "./lanes.ts";
import { playEpisode } from "./play-episode.ts";
import type { EpisodeTask, PlayedEpisode, PlayEpisodesOptions, RolloutStep } from "./play-options.ts";
import { tooManyFailures } from "./rollout-errors.ts";
import { Steps } from "./steps.ts";

/**
 * Plays one episode per task.
 *
 * @throws `too-many-failures` where more than `maximumFailedShare` failed; what ends the whole run,
 * such as `aborted` or `engine-closed`, leaving unfinished episodes for the resume
 */
export async function playEpisodes<Task extends JsonValue, Outcome extends JsonValue>(
  options: PlayEpisodesOptions<Task, Outcome>,
): Promise<PlayedEpisode<Outcome>[]> {
  const { step, game, tasks } = options;
  const what = options.what ?? `playing ${game.id}`;
  const play: Play<Task, Outcome> = {
    what,
    options,
    starts: new EpisodeStarts(options),
    deadlines: new Deadlines(step.signal),
    breath: new Breath(step.clock),
    steps: new Steps(),
  };
  const { deadlines, breath } = play;
  const progress =
    options.what === null ? null : step.progress({ what, total: tasks.length, unit: "episodes" });
  const lanes = { limit: options.concurrency ?? 1024, breath };
  try {
    const played = await runInLanes(tasks, lanes, {
      work: (task, index) => orStop(play, () => playTask(play, task, index), index),
      finish: (played) => orStop(play, () => finishTask(play, played, () => progress?.advance())),
    });
    checkFailures(options, played);
    return played;
  } finally {
    deadlines.close();
    progress?.end();
  }
}

/** What the episodes of one play share. */
interface Play<Task extends JsonValue, Outcome extends JsonValue> {
  readonly what: string;
  readonly options: PlayEpisodesOptions<Task, Outcome>;
  readonly starts: EpisodeStarts<Task, Outcome>;
  readonly deadlines: Deadlines;
  readonly breath: Breath;
  readonly steps: Steps;
}

/** One episode; its end is yet to be written where it was played now. */
interface Played<Outcome extends JsonValue> {
  readonly episode: PlayedEpisode<Outcome>;
  readonly isFromRecord: boolean;
}

async function playTask<Task extends JsonValue, Outcome extends JsonValue>(
  play: Play<Task, Outcome>,
  task: EpisodeTask<Task>,
  index: number,
): Promise<Played<Outcome>> {
  const { what, options, starts, deadlines, breath, steps } = play;
  const { step, game, images } = options;
  if (deadlines.isStopped) throw abortedError({ boundary: "game", what });
  const seats = typeof options.seats === "function" ? options.seats(task, index) : options.seats;
  const start = starts.of(task, index, seats);
  const recorded = earlierTry(step.recorder, start);
  if (recorded !== null && recorded.end !== null)
    return { episode: fromRecord(recorded, recorded.end), isFromRecord: true };
  if (recorded === null) step.recorder.start(start);
  const { end, turns, calls } = await playEpisode(game, task.task, {
    start,
    seats,
    services: options.services ?? {},
    recorder: step.recorder,
    recorded,
    clock: step.clock,
    deadlines,
    breath,
    steps,
    replyTimeoutMs: options.replyTimeoutMs ?? defaultTimeoutMs,
    callTimeoutMs: options.callTimeoutMs ?? defaultTimeoutMs,
    ...(images === undefined ? {} : { images }),
  });
  return { episode: { start, end, outcome: outcomeOf<Outcome>(end), turns, calls }, isFromRecord: false };
}

/** An episode counts as finished once its end is on the disk. */
async function finishTask<Task extends JsonValue, Outcome extends JsonValue>(
  { options }: Play<Task, Outcome>,
  { episode, isFromRecord }: Played<Outcome>,
  advance: () => void,
): Promise<PlayedEpisode<Outcome>> {
  if (!isFromRecord) await options.step.recorder.end(episode.start.id, episode.end);
  advance();
  return episode;
}

/** What ends more than one episode ends all: they stop now, and are gone on with after a resume. */
async function orStop<Task extends JsonValue, Outcome extends JsonValue, Result>(
  { options, starts, deadlines }: Play<Task, Outcome>,
  work: () => Promise<Result>,
  index?: number,
): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    if (index !== undefined && isSparError(thrown) && thrown.code === "departed-from-record")
      options.step.recorder.setAside([starts.idOf(index)]);
    deadlines.stop();
    throw thrown;
  }
}

const defaultTimeoutMs = 300_000;

function fromRecord<Outcome extends JsonValue>(
  recorded: RecordedEpisode,
  end: EpisodeEnd,
): PlayedEpisode<Outcome> {
  return {
    start: recorded.start,
    end,
    outcome: outcomeOf<Outcome>(end),
    turns: recorded.turns.map(({ turn }) => turn),
    calls: recorded.calls.map(({ call }) => call),
  };
}

function outcomeOf<Outcome extends JsonValue>(end: EpisodeEnd): Outcome | null {
  // What this game returned for this task, now or before the run was interrupted.
  return end.kind === "finished" ? (end.outcome as Outcome) : null;
}

function checkFailures(
  options: { readonly step: RolloutStep; readonly maximumFailedShare?: number },
  played: readonly PlayedEpisode[],
): void {
  const failed = played.filter(({ end }) => end.kind === "failed");
  if (failed.length <= (options.maximumFailedShare ?? 0.1) * played.length) return;
  // A resumed run shall try them again.
  options.step.recorder.setAside(failed.map(({ start }) => start.id));
  throw tooManyFailures(
    failed.map(({ end }) => end),
    played.length,
  );
}
