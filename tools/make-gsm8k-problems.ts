/**
 * Makes `recipes/spin/data/gsm8k-problems.jsonl` from GSM8K's own files:
 *
 *     node tools/make-gsm8k-problems.ts TRAIN.jsonl TEST.jsonl OUTPUT.jsonl 400 100
 *
 * The first so many problems of each split, in their order.
 */
import { writeFileSync } from "node:fs";
import { loadRecords } from "../src/data/index.ts";
import { problemRecord, problemSchema } from "./gsm8k/problems.ts";

async function main(): Promise<void> {
  const [trainPath, testPath, outputPath, ...counts] = process.argv.slice(2);
  const [trainCount = 0, testCount = 0] = counts.map(Number);
  const areCounts = [trainCount, testCount].every((count) => Number.isInteger(count) && count > 0);
  if (trainPath === undefined || testPath === undefined || outputPath === undefined || !areCounts) {
    process.stderr.write(
      "usage: node tools/make-gsm8k-problems.ts TRAIN.jsonl TEST.jsonl OUTPUT.jsonl TRAIN_COUNT TEST_COUNT\n",
    );
    process.exitCode = 2;
    return;
  }
  const records = [
    ...(await loadRecords(trainPath, problemSchema, { limit: trainCount })).map((problem) =>
      problemRecord(problem, "train"),
    ),
    ...(await loadRecords(testPath, problemSchema, { limit: testCount })).map((problem) =>
      problemRecord(problem, "test"),
    ),
  ];
  writeFileSync(outputPath, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  process.stdout.write(`${records.length} problems\n`);
}

await main();
