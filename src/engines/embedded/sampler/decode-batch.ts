/**
 * Samples a batch of rows of one version to the end: prompt in pieces, then token by token, with a key-value cache.
 *
 * Rows move in lockstep from slot 0. Rows with the same prompt share one row of the cache until the first of them
 * has something to sample; rows that are finished leave, and the batch shrinks to the next bucket. Both are the same
 * operation: a new cache whose rows are copies of old ones. None of this can be seen in a row's numbers.
 */
import { present } from "../../../base/index.ts";
import type { DecodingProgram, ProgramLibrary } from "../executor/program-library.ts";
import { fillDecodingBias } from "../model/tables.ts";
import { lengthBucket } from "../training/micro-batches.ts";
import { leafAddresses, type WeightBlock } from "../weights/weight-store.ts";
import { LaneCache } from "./lane-cache.ts";
import type { SamplingRow } from "./sampling-row.ts";

/** Four is the smallest batch whose kernels add in the same order as those of every larger one. */
const laneBuckets = [4, 16, 64, 256] as const;
export const maximumLanes = 256;
/** Positions of a prompt that are read per call. */
const promptPiece = 16;

export interface DecodeBatchOptions {
  readonly library: ProgramLibrary;
  readonly weights: WeightBlock;
  /** At most `maximumLanes`. */
  readonly rows: readonly SamplingRow[];
  /** Called between steps, so that the thread hears its messages. */
  readonly breathe: () => Promise<void>;
}

/** Returns when every row is finished. */
export async function decodeBatch(options: DecodeBatchOptions): Promise<void> {
  const { library, weights, rows } = options;
  const slots = Math.max(...rows.map((row) => row.lengthLimit));
  const cache = new LaneCache(
    library.executor.heap,
    weights.shape,
    lengthBucket(slots, weights.shape.contextLength),
  );
  try {
    const lanes = new Lanes(rows);
    cache.allocate(bucketOf(lanes.count));
    let position = 0;
    while (lanes.count > 0) {
      await options.breathe();
      const wanted = lanes.regroup(position);
      if (wanted !== undefined) cache.regroup(wanted, bucketOf(wanted.length), position);
      if (lanes.count === 0) return;
      position += await step(options, { cache, lanes, position });
    }
  } finally {
    cache.release();
  }
}

function bucketOf(count: number): number {
  return laneBuckets.find((bucket) => bucket >= count) ?? maximumLanes;
}

interface StepState {
  readonly cache: LaneCache;
  readonly lanes: Lanes;
  readonly position: number;
}

/** Advances every lane; returns by how many positions. */
async function step(
  { library, weights }: DecodeBatchOptions,
  { cache, lanes, position }: StepState,
): Promise<number> {
  const { shape } = weights;
  const isPrompt = position + promptPiece < lanes.shortestPrompt && position + promptPiece <= cache.slots;
  const queryCount = isPrompt ? promptPiece : 1;
  const slots = lengthBucket(position + queryCount, shape.contextLength);
  const program = await library.decodingProgram(shape, {
    rows: cache.lanes,
    slots,
    queryCount,
    withLogits: !isPrompt,
    fresh: library.executor.readsItsWrites ? "cached" : "apart",
  });
  writeInputs(library, program, { cache, lanes, position }, weights);
  const rotary = library.rotaryAddresses(shape);
  const angle = position * (shape.width / shape.headCount) * 4;
  const inputs = [
    ...leafAddresses(weights),
    rotary.cosine + angle,
    rotary.sine + angle,
    program.bias,
    program.positions,
    program.tokens,
    ...cache.addresses(),
    ...(program.step.fresh === "apart" ? [program.freshBias] : []),
  ];
  const written = cache.addressesAt(position);
  const outputs = isPrompt ? written : [...written, program.logits];
  const arena = library.arena(program.compiled.arenaBytes);
  await program.compiled.run(0, { inputs, outputs, arena });
  if (!isPrompt) readLogits(library, program, lanes, position, weights);
  return queryCount;
}

function writeInputs(
  library: ProgramLibrary,
  program: DecodingProgram,
  { cache, lanes, position }: StepState,
  weights: WeightBlock,
): void {
  const { heap } = library.executor;
  const { queryCount, slots } = program.step;
  const { shape } = weights;
  const bias = heap.float32(program.bias, slots * queryCount * shape.headCount);
  const filled = program.step.fresh === "apart" ? position : slots;
  fillDecodingBias(shape, bias, { slots, queryCount, firstPosition: position, filled });
  const positions = heap.int32(program.positions, queryCount);
  const tokens = heap.int32(program.tokens, queryCount * cache.lanes).fill(0);
  for (let query = 0; query < queryCount; query += 1) {
    positions[query] = position + query;
    for (let lane = 0; lane < lanes.count; lane += 1) {
      tokens[query * cache.lanes + lane] = lanes.leader(lane).tokenAt(position + query);
    }
  }
}

function readLogits(
  library: ProgramLibrary,
  program: DecodingProgram,
  lanes: Lanes,
  position: number,
  { shape }: WeightBlock,
): void {
  const stride = shape.paddedVocabularySize;
  const logits = library.executor.heap.float32(program.logits, program.step.rows * stride);
  for (let lane = 0; lane < lanes.count; lane += 1) {
    const view = logits.subarray(lane * stride, lane * stride + shape.vocabularySize);
    for (const row of lanes.members(lane)) row.advance(position, view, shape.vocabularySize);
  }
}

/** Which rows each lane of the cache serves. */
class Lanes {
  private groups: SamplingRow[][];

  constructor(rows: readonly SamplingRow[]) {
    const byPrompt = new Map<string, SamplingRow[]>();
    for (const row of rows) {
      const key = row.prompt.join(",");
      const group = byPrompt.get(key);
      if (group === undefined) byPrompt.set(key, [row]);
      else group.push(row);
    }
    this.groups = [...byPrompt.values()];
  }

  get count(): number {
    return this.groups.length;
  }

  get shortestPrompt(): number {
    return Math.min(...this.groups.map((group) => present(group[0], "a row").prompt.length));
  }

  leader(lane: number): SamplingRow {
    return present(this.groups[lane]?.[0], "the row of a lane");
  }

  members(lane: number): readonly SamplingRow[] {
    return present(this.groups[lane], "a lane");
  }

  /**
   * Splits lanes whose rows have begun to differ and drops finished rows.
   *
   * @returns for each new lane the old lane that it continues, or undefined when the cache can stay as it is
   */
  regroup(position: number): number[] | undefined {
    const groups: SamplingRow[][] = [];
    const origins: number[] = [];
    for (const [lane, group] of this.groups.entries()) {
      const active = group.filter((row) => !row.isFinished);
      const hasSampled = position >= present(group[0], "a row").prompt.length;
      const parts = hasSampled ? active.map((row) => [row]) : active.length > 0 ? [active] : [];
      for (const part of parts) {
        groups.push(part);
        origins.push(lane);
      }
    }
    const isUnchanged =
      origins.length === this.groups.length && origins.every((lane, index) => lane === index);
    const keepsBucket =
      origins.length < this.groups.length && bucketOf(origins.length) === bucketOf(this.groups.length);
    if (isUnchanged) {
      this.groups = groups;
      return undefined;
    }
    // A finished row may stay in its lane, unread, until the batch can shrink.
    if (keepsBucket && origins.length > 0 && new Set(origins).size === origins.length) return undefined;
    this.groups = groups;
    return origins;
  }
}
