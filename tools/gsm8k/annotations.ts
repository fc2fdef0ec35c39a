/**
 * The calculator annotations in GSM8K's answers, such as `<<48/2=24>>`: which of them are whole-number
 * arithmetic, each once, with the splits that it occurs in. Knows no file.
 */
import { evaluateInteger } from "./arithmetic.ts";

export type AnnotationSplit = "train" | "test" | "both";

export interface Annotation {
  readonly expression: string;
  readonly answer: string;
  readonly split: AnnotationSplit;
  /** How often it occurs in all answers. */
  readonly count: number;
}

export interface Extraction {
  /** In the order of first appearance. */
  readonly annotations: readonly Annotation[];
  /** Annotations of any kind that were seen. */
  readonly seenCount: number;
}

/** Every distinct whole-number annotation of the answers. */
export function extractAnnotations(answers: {
  readonly train: readonly string[];
  readonly test: readonly string[];
}): Extraction {
  const found = new Map<string, { answer: string; splits: Set<"train" | "test">; count: number }>();
  let seenCount = 0;
  for (const split of ["train", "test"] as const) {
    for (const text of answers[split]) {
      for (const [, annotation = ""] of text.matchAll(/<<([^<>]*)>>/g)) {
        seenCount += 1;
        const parts = splitAnnotation(annotation);
        if (parts === null) continue;
        const entry = found.get(parts.expression) ?? { answer: parts.answer, splits: new Set(), count: 0 };
        entry.splits.add(split);
        entry.count += 1;
        found.set(parts.expression, entry);
      }
    }
  }
  const annotations = [...found].map(([expression, { answer, splits, count }]): Annotation => {
    const [first = "train"] = splits;
    return { expression, answer, split: splits.size === 2 ? "both" : first, count };
  });
  return { annotations, seenCount };
}

/** Expression and answer, where an operator joins whole numbers and the answer is their exact value. */
function splitAnnotation(annotation: string): { expression: string; answer: string } | null {
  const [expression = "", answer = "", ...more] = annotation.split("=");
  const isArithmetic = /\d\)*[-+*/]/.test(expression) && more.length === 0 && /^-?(0|[1-9]\d*)$/.test(answer);
  if (!isArithmetic || evaluateInteger(expression) !== BigInt(answer)) return null;
  return { expression, answer };
}
