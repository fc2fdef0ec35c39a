/**
 * Problems of GSM8K with their human answers as conversations. The calculator annotations `<<48/2=24>>` in the
 * answers are for a calculator and not for readers: they are taken out, nothing else is changed. Knows no file.
 */
import { z } from "zod";

export const problemSchema = z.object({ question: z.string(), answer: z.string() });

export type Problem = z.output<typeof problemSchema>;

export interface ProblemRecord {
  readonly split: "train" | "test";
  readonly messages: readonly { readonly role: "user" | "assistant"; readonly content: string }[];
}

export function problemRecord({ question, answer }: Problem, split: ProblemRecord["split"]): ProblemRecord {
  return {
    split,
    messages: [
      { role: "user", content: question },
      { role: "assistant", content: answer.replaceAll(/<<[^<>]*>>/g, "") },
    ],
  };
}
