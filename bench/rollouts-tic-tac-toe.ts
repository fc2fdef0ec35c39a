/** The side of spar in `rollouts.bench.ts`: scripted tic-tac-toe, with nothing kept and with everything durable. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom, systemClock } from "spar/base";
import { game } from "spar/games/tic-tac-toe";
import { randomPlayer } from "spar/players";
import { recordsVersion, type EpisodeRecorder } from "spar/records";
import { playEpisodes, unrecordedStep, type RolloutStep } from "spar/rollouts";
import { openRunReader, RunStore, type RunManifest } from "spar/store";

/** Turns per second, by the clock and by the time that all threads of the process used. */
export interface Rate {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

export async function playUnrecorded(games: number, seed: number): Promise<Rate> {
  const { signal } = new AbortController();
  const { rate } = await measure(
    unrecordedStep({ random: createRandom(seed), signal, clock: systemClock }),
    games,
  );
  return rate;
}

/** Plays in the folder of one run, as a run that goes on would. */
export class DurablePlays {
  readonly #root = mkdtempSync(join(tmpdir(), "spar-bench-"));
  readonly #folder = join(this.#root, "run");
  readonly #store = RunStore.create(this.#folder, manifest, systemClock);
  #turnCount = 0;

  async play(games: number, round: number): Promise<Rate> {
    const { episodes } = this.#store;
    const recorder: EpisodeRecorder = {
      find: (episodeId) => episodes.find(episodeId),
      start: (start) => episodes.start(start),
      turns: (turns, ask, elapsedMs) => episodes.turns(turns, ask, elapsedMs),
      call: (call, elapsedMs) => episodes.call(call, elapsedMs),
      refuse: (episodeId, sequence, elapsedMs) => episodes.refuse(episodeId, sequence, elapsedMs),
      end: (episodeId, end) => episodes.end(episodeId, end),
      setAside: (episodeIds) => episodes.setAside(episodeIds),
      annotate: () => undefined,
    };
    // As a step of a run: what was never begun is not looked for.
    const step: RolloutStep = {
      ...unrecordedStep({
        random: createRandom(round),
        signal: new AbortController().signal,
        clock: systemClock,
      }),
      name: `round ${round}`,
      recorder: { ...recorder, find: () => null },
    };
    const { rate, turnCount } = await measure(step, games);
    this.#turnCount += turnCount;
    return rate;
  }

  /** What lies in the database, after all of it was found there. */
  close(): { readonly turnCount: number; readonly bytes: number } {
    this.#store.close();
    const found = countTurns(this.#folder);
    if (found !== this.#turnCount) throw new Error(`played ${this.#turnCount} turns, found ${found}`);
    const { bytes } = { bytes: statSync(join(this.#folder, "run.sqlite")).size };
    rmSync(this.#root, { recursive: true });
    return { turnCount: found, bytes };
  }
}

function countTurns(folder: string): number {
  using reader = openRunReader(folder);
  let turnCount = 0;
  for (const episode of reader.episodes()) turnCount += episode.turnCount;
  return turnCount;
}

async function measure(
  step: RolloutStep,
  games: number,
): Promise<{ readonly rate: Rate; readonly turnCount: number }> {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const played = await playEpisodes({
    step,
    game,
    tasks: Array.from({ length: games }, (_value, index) => ({
      id: `game-${index}`,
      task: { isExplained: false },
    })),
    seats: { X: randomPlayer(), O: randomPlayer() },
  });
  const { user, system } = process.cpuUsage(startCpu);
  const seconds = (performance.now() - startMs) / 1000;
  let turnCount = 0;
  for (const { end, turns } of played) {
    if (end.kind === "failed") throw new Error(end.failure.message);
    turnCount += turns.length;
  }
  const rate = { perSecond: turnCount / seconds, perCpuSecond: turnCount / ((user + system) / 1e6) };
  return { rate, turnCount };
}

const manifest: RunManifest = {
  recordsVersion,
  id: "bench",
  recipe: { id: "bench", version: 1, paper: null },
  preset: "bench",
  options: {},
  seed: 1,
  checkpointEverySteps: 1,
  engine: {
    name: "none",
    description: { id: "none", executor: "none", precision: "float64", threadCount: 1, software: "none" },
    capabilities: [],
  },
  software: { spar: "bench", node: process.version, commit: null },
  createdMs: Date.now(),
};
