/**
 * Generation in shards, as the SPIN authors lay it out: `loser_<k>.jsonl` per shard, gathered into one
 * training and one test file. Shards are resumed without duplicates and keep the order of prompts.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../base/index.ts";
import { dataError, showValue } from "./data-error.ts";
import type { Exchange } from "./messages.ts";
import { pairFromRecord, pairRecordSchema, readPairs, recordFromPair, type Pair } from "./pair-records.ts";
import { openResumable } from "./resumable-jsonl.ts";

export type Split = "train" | "test";

/** The authors' name of a shard, counted from 0. */
export function shardName(shardIndex: number, split: Split): string {
  return `loser_${shardIndex}${split === "test" ? "_test" : ""}.jsonl`;
}

/** The authors' name of a gathered file. */
export function gatheredName(split: Split): string {
  return `${split}_prefs-00000-of-00001.parquet`;
}

export interface PairShard {
  /** Pairs that earlier runs have written. */
  readonly donePairs: readonly Pair[];
  /** The prompts that still need an answer, in their order. */
  readonly remaining: readonly Exchange[];
  /** Writes the answers to the next prompts, in their order. @throws `data-write-failed` */
  append(answers: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a shard for its prompts. Human answers pass through unchanged.
 *
 * @throws `shard-mismatch` where the file holds pairs of other prompts, `data-write-failed`, and what
 * `readRecords` throws
 */
export async function openPairShard(path: string, prompts: readonly Exchange[]): Promise<PairShard> {
  const file = await openResumable(path, pairRecordSchema);
  const donePairs = file.existing.map(pairFromRecord);
  for (const [index, pair] of donePairs.entries()) {
    const expected = prompts[index];
    if (expected?.prompt === pair.prompt && expected.answer === pair.real && expected.system === pair.system)
      continue;
    await file.close();
    throw dataError(
      "shard-mismatch",
      expected === undefined
        ? `expected at most ${prompts.length} pairs, found ${donePairs.length}`
        : `expected the prompt ${showValue(expected.prompt)} and its answer, found ${showValue(pair.prompt)}`,
      {
        file: path,
        line: index + 1,
        hint: "the shard belongs to other data: choose another folder, or delete it",
      },
    );
  }
  let next = donePairs.length;
  return {
    donePairs,
    remaining: prompts.slice(donePairs.length),
    append: async (answers) => {
      const pairs = answers.map((generated, offset): Pair => {
        const exchange = prompts[next + offset];
        if (exchange === undefined)
          throw new RangeError(
            `the shard has ${prompts.length} prompts, answer ${next + offset + 1} has none`,
          );
        return { system: exchange.system, prompt: exchange.prompt, real: exchange.answer, generated };
      });
      next += answers.length;
      await file.append(pairs.map(recordFromPair));
    },
    close: () => file.close(),
  };
}

/**
 * The pairs of all shards of a folder, shard by shard in the order of their numbers.
 *
 * @throws `shard-missing` where there is none or a number is left out, and what `readRecords` throws
 */
export async function* gatherPairs(folder: string, split: Split): AsyncGenerator<Pair> {
  const names = await listFolder(folder);
  const pattern = split === "test" ? /^loser_(\d+)_test\.jsonl$/ : /^loser_(\d+)\.jsonl$/;
  const found = names.flatMap((name) => {
    const number = pattern.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
  const count = found.length === 0 ? 1 : Math.max(...found) + 1;
  const missing = Array.from({ length: count }, (_value, index) => index).filter(
    (index) => !found.includes(index),
  );
  if (missing.length > 0) {
    throw dataError(
      "shard-missing",
      `expected ${missing.map((index) => shardName(index, split)).join(", ")}`,
      {
        file: folder,
        hint: "generate the missing shards first",
      },
    );
  }
  for (let index = 0; index < count; index++) yield* readPairs(join(folder, shardName(index, split)));
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    throw dataError("data-not-found", `the folder cannot be listed: ${messageOf(thrown)}`, {
      file: folder,
      hint: "name the folder that the shards were written to",
      cause: thrown,
    });
  }
}
