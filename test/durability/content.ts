/**
 * Everything that a run folder keeps, as plain data in which two runs can be compared bit for bit:
 * steps, transcripts, verdicts and rewards, metrics, reports, and the weights of every version and state
 * that is kept. Timings are left out, since no two runs share them.
 */
import { CheckpointFolder } from "../../src/store/checkpoints.ts";
import { openRunReader, type RunReader } from "../../src/store/index.ts";
import { listSavedPolicies } from "../../src/train/index.ts";

/** Also compares every checkpoint that is kept with the files that lie there. */
export async function contentOf(folder: string): Promise<unknown> {
  using reader = openRunReader(folder);
  return {
    status: reader.status(),
    result: reader.result(),
    steps: [...reader.steps()].map(({ position, name, kind, result }) => ({ position, name, kind, result })),
    episodes: episodesOf(reader),
    metrics: [...reader.metrics()],
    reports: [...reader.reports()],
    weights: await weightsOf(reader),
  };
}

/** In the order of their ids: which one began first is chance. */
function episodesOf(reader: RunReader): unknown[] {
  const episodes = [...reader.episodes()].map(({ start, end }) => {
    const { turns, calls, refusals } = reader.episode(start.id);
    return {
      start,
      end,
      turns: turns.map(({ turn, ask }) => ({
        ...turn,
        ask,
        logprobs: [...turn.logprobs],
        durationMs: 0,
      })),
      calls: calls.map(({ call }) => ({ ...call, durationMs: 0 })),
      refusals: refusals.map(({ sequence }) => sequence),
      annotations: reader.annotations(start.id),
    };
  });
  return episodes.toSorted((a, b) => (a.start.id < b.start.id ? -1 : 1));
}

async function weightsOf(reader: RunReader): Promise<unknown[]> {
  const checkpoints = new CheckpointFolder(reader.paths.checkpoints);
  const kept: unknown[] = [];
  for (const { name, weights } of listSavedPolicies(reader)) {
    for (const { label, checkpoint } of weights) {
      const record = reader.checkpoint(checkpoint);
      await checkpoints.verify(record);
      kept.push({ name, label, files: record.files, digest: record.digest });
    }
  }
  return kept;
}
