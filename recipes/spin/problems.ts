/**
 * Problems of GSM8K and their human answers, as they ship with the recipe. Problems of the test set are held out;
 * where they are too few, more are taken out of the training set by the seed.
 */
import { fileURLToPath } from "node:url";
import type { Random } from "spar/base";
import { loadRecords } from "spar/data";
import { z } from "zod";
import type { Example, ExampleSplit } from "./examples.ts";
import type { SpinOptions } from "./options.ts";

const message = z.object({ content: z.string() });

const problemSchema = z.object({
  split: z.enum(["train", "test"]),
  messages: z.tuple([message, message]),
});

const problemsFile = fileURLToPath(new URL("./data/gsm8k-problems.jsonl", import.meta.url));

/** Reads and splits the shipped problems. */
export async function loadProblems({ heldOutCount }: SpinOptions, random: Random): Promise<ExampleSplit> {
  const problems = (await loadRecords(problemsFile, problemSchema)).map(({ split, messages }, index) => {
    const [question, answer] = messages;
    return { split, id: `problem ${index}`, prompt: question.content, answer: answer.content };
  });
  const ofSplit = (wanted: "train" | "test"): Example[] =>
    problems
      .filter(({ split }) => split === wanted)
      .map(({ id, prompt, answer }) => ({ id, prompt, answer }));
  const ofTest = ofSplit("test");
  const ofTraining = random.split("split").shuffle(ofSplit("train"));
  const missing = Math.max(0, heldOutCount - ofTest.length);
  return {
    heldOut: [...ofTest, ...ofTraining.slice(0, missing)].slice(0, heldOutCount),
    training: ofTraining.slice(missing),
    repeatedCount: 0,
  };
}
