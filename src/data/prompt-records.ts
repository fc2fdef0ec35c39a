/**
 * Prompts with their human answers, from conversations in the layout of UltraChat or from pair
 * records; of a conversation only the first exchange counts.
 */
import { z } from "zod";
import { exchangeSchema, firstExchange } from "./messages.ts";
import { readRecords, type ReadOptions } from "./read-records.ts";

/** @paper arXiv:2401.01335v3 section 6.1: the first exchange of each dialogue */
export interface PromptRecord {
  /** The data set's own id, else the place in the source, from 0. */
  readonly id: string;
  readonly system: string | null;
  readonly prompt: string;
  readonly answer: string;
}

const promptSource = z
  .object({
    messages: exchangeSchema.optional(),
    real: exchangeSchema.optional(),
    prompt_id: z.string().nullish(),
  })
  .refine((record) => record.messages !== undefined || record.real !== undefined, {
    error: "expected the field messages (a conversation) or real (a pair record)",
  });

/**
 * The prompts of a file in their order, texts unchanged.
 *
 * @throws what `readRecords` throws; `data-bad-record` where a record holds no exchange
 */
export async function* readPrompts(source: string, options: ReadOptions = {}): AsyncGenerator<PromptRecord> {
  let position = 0;
  for await (const record of readRecords(source, promptSource, options)) {
    const exchange = firstExchange(record.messages ?? record.real ?? []);
    if (exchange !== null) yield { id: record.prompt_id ?? String(position), ...exchange };
    position += 1;
  }
}
