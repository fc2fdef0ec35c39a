/** Data sets: readers that stream and check, and the layouts of the methods' own files. */
export { shardCount, shardRange, stepsPerEpoch, type ShardRange } from "./counts.ts";
export { parseHubAddress, type HubAddress, type HubOptions } from "./hub-source.ts";
export { firstExchange, messageSchema, type Exchange, type Message } from "./messages.ts";
export {
  pairFromRecord,
  pairRecordSchema,
  readPairs,
  recordFromPair,
  writePairsParquet,
  type Pair,
  type PairRecord,
} from "./pair-records.ts";
export {
  gatheredName,
  gatherPairs,
  openPairShard,
  shardName,
  type PairShard,
  type Split,
} from "./pair-shards.ts";
export { writeParquet, type ParquetColumn, type WriteParquetOptions } from "./parquet-writer.ts";
export { readPrompts, type PromptRecord } from "./prompt-records.ts";
export { loadRecords, readRecords, type ReadOptions } from "./read-records.ts";
export { openResumable, type ResumableFile } from "./resumable-jsonl.ts";
