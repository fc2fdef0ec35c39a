/**
 * Makes `recipes/spin/data/gsm8k-annotations.jsonl` from GSM8K's own files:
 *
 *     node tools/make-gsm8k-annotations.ts TRAIN.jsonl TEST.jsonl OUTPUT.jsonl
 *
 * One record per distinct whole-number annotation. What is usual is left out of a record to keep the
 * file small: split "train", count 1.
 */
import { writeFileSync } from "node:fs";
import { z } from "zod";
import { loadRecords } from "../src/data/index.ts";
import { extractAnnotations, type Annotation } from "./gsm8k/annotations.ts";

const problem = z.object({ answer: z.string() });

async function main(): Promise<void> {
  const [trainPath, testPath, outputPath, ...more] = process.argv.slice(2);
  if (trainPath === undefined || testPath === undefined || outputPath === undefined || more.length > 0) {
    process.stderr.write("usage: node tools/make-gsm8k-annotations.ts TRAIN.jsonl TEST.jsonl OUTPUT.jsonl\n");
    process.exitCode = 2;
    return;
  }
  const answersOf = async (path: string): Promise<string[]> =>
    (await loadRecords(path, problem)).map(({ answer }) => answer);
  const { annotations, seenCount } = extractAnnotations({
    train: await answersOf(trainPath),
    test: await answersOf(testPath),
  });
  writeFileSync(
    outputPath,
    annotations.map((annotation) => `${JSON.stringify(compact(annotation))}\n`).join(""),
  );
  const occurrences = annotations.reduce((sum, { count }) => sum + count, 0);
  process.stdout.write(
    `${seenCount} annotations seen, ${occurrences} are whole-number arithmetic, ${annotations.length} distinct\n`,
  );
}

function compact({ expression, answer, split, count }: Annotation): object {
  return {
    expression,
    answer,
    ...(split === "train" ? {} : { split }),
    ...(count === 1 ? {} : { count }),
  };
}

await main();
