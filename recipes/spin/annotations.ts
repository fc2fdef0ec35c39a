/**
 * The arithmetic annotations of GSM8K as prompts and answers: `48/2=` and `24`. Expressions of the
 * test set are held out; where they are too few, more are taken out of the training set by the seed.
 * Neither a held-out expression nor the same with its operands exchanged is trained on.
 */
import { fileURLToPath } from "node:url";
import type { Random } from "spar/base";
import { loadRecords } from "spar/data";
import { z } from "zod";
import type { Example, ExampleSplit } from "./examples.ts";
import type { SpinOptions } from "./options.ts";

const annotationSchema = z.object({
  expression: z.string(),
  answer: z.string(),
  split: z.enum(["train", "test", "both"]).default("train"),
});

type Annotation = z.output<typeof annotationSchema>;

const annotationsFile = fileURLToPath(new URL("./data/gsm8k-annotations.jsonl", import.meta.url));

/** Reads, filters and splits the shipped annotations. */
export async function loadAnnotations(options: SpinOptions, random: Random): Promise<ExampleSplit> {
  const annotations = (await loadRecords(annotationsFile, annotationSchema)).filter((annotation) =>
    takesPart(annotation, options),
  );
  const ofTest = annotations.filter(({ split }) => split === "test");
  const ofTraining = random.split("split").shuffle(annotations.filter(({ split }) => split !== "test"));
  const missing = Math.max(0, options.heldOutCount - ofTest.length);
  const heldOut = [...ofTest, ...ofTraining.slice(0, missing)].slice(0, options.heldOutCount);
  const heldOutFacts = new Set(heldOut.map(factOf));
  const toExample = ({ expression, answer }: Annotation): Example => ({
    id: expression,
    prompt: `${expression}=`,
    answer: options.annotations.reversedAnswers ? [...answer].toReversed().join("") : answer,
  });
  return {
    heldOut: heldOut.map(toExample),
    training: ofTraining
      .slice(missing)
      .filter((annotation) => !heldOutFacts.has(factOf(annotation)))
      .map(toExample),
    repeatedCount: 0,
  };
}

/** The same for `a+b` and `b+a`: whoever has learned one knows the other, so they must not be parted. */
function factOf({ expression }: Annotation): string {
  const operator = /[+*]/.exec(expression)?.[0];
  return operator === undefined ? expression : expression.split(operator).toSorted().join(operator);
}

/** Two whole numbers and one of the operators, short enough. */
function takesPart({ expression, answer }: Annotation, { annotations }: SpinOptions): boolean {
  const operator = /^\d+([-+*/])\d+$/.exec(expression)?.[1];
  return (
    annotations.operators.some((allowed) => allowed === operator) &&
    expression.length <= annotations.maxExpressionCharacters &&
    answer.length <= annotations.maxAnswerCharacters &&
    /^\d+$/.test(answer)
  );
}
