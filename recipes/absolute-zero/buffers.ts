/**
 * Buffers of tasks: they grow by what was valid, whatever it earned, and keep the newest. Immutable and plain JSON: a
 * buffer is what the proposals of earlier steps made it, so a resumed run has the same.
 */
import type { Random } from "spar/base";

export type Stored<Entry> = {
  readonly entry: Entry;
  /** The step of self-play in which it came; 0 for seeds. */
  readonly step: number;
};

export type TaskBuffer<Entry> = readonly Stored<Entry>[];

/** The buffer with new entries behind the old; of too many the oldest go. */
export function grow<Entry>(
  buffer: TaskBuffer<Entry>,
  entries: readonly Entry[],
  { step, capacity }: { readonly step: number; readonly capacity: number },
): TaskBuffer<Entry> {
  return [...buffer, ...entries.map((entry) => ({ entry, step }))].slice(-capacity);
}

/** Uniform without replacement: as many as asked for, or all. */
export function drawReferences<Entry>(buffer: TaskBuffer<Entry>, count: number, random: Random): Entry[] {
  const places = drawPlaces(buffer.length, Math.min(count, buffer.length), random);
  return places.flatMap((place) => buffer[place]?.entry ?? []);
}

/** Different places, each equally likely: the first steps of a shuffle, as far as they are needed. */
function drawPlaces(size: number, count: number, random: Random): number[] {
  const moved = new Map<number, number>();
  return Array.from({ length: count }, (_value, index) => {
    const other = index + random.integer(size - index);
    const place = moved.get(other) ?? other;
    moved.set(other, moved.get(index) ?? index);
    return place;
  });
}

/**
 * Tasks to solve: those that came since a step, at most as many as are asked for, then uniform draws from all, which may
 * repeat. Empty where the buffer is.
 *
 * @paper arXiv:2505.03335v3 section 3.3.3
 */
export function drawTasks<Entry>(
  buffer: TaskBuffer<Entry>,
  { count, since, random }: { readonly count: number; readonly since: number; readonly random: Random },
): Entry[] {
  if (buffer.length === 0) return [];
  const recent = buffer.filter(({ step }) => step >= since);
  const drawn = drawReferences(recent, count, random.split("recent"));
  const fill = random.split("fill");
  while (drawn.length < count) drawn.push(fill.pick(buffer).entry);
  return drawn;
}
