/**
 * The pair records of the SPIN authors: a human answer and a generated one to the same prompt, each
 * as a message list; read and written as JSON Lines and as parquet. Knows no template and no token.
 */
import { z } from "zod";
import { exchangeSchema, firstExchange, type Exchange, type Message } from "./messages.ts";
import { writeParquet, type WriteParquetOptions } from "./parquet-writer.ts";
import { readRecords, type ReadOptions } from "./read-records.ts";

export interface PairRecord {
  readonly real: readonly Message[];
  readonly generated: readonly Message[];
}

/** A pair by its parts. */
export interface Pair {
  readonly system: string | null;
  readonly prompt: string;
  readonly real: string;
  /** Empty before anything was generated. */
  readonly generated: string;
}

/** The layout with what it promises: one prompt for both answers. */
export const pairRecordSchema: z.ZodType<PairRecord> = z
  .object({ real: exchangeSchema, generated: exchangeSchema })
  .refine(
    ({ real, generated }) => {
      const [left, right] = [firstExchange(real), firstExchange(generated)];
      // An unreadable exchange has been reported by then.
      return (
        left === null || right === null || (left.prompt === right.prompt && left.system === right.system)
      );
    },
    { path: ["generated"], error: "expected the same prompt as in real" },
  );

/** The parts of a record. */
export function pairFromRecord(record: PairRecord): Pair {
  const real = exchangeOf(record.real);
  const generated = exchangeOf(record.generated);
  return { system: real.system, prompt: real.prompt, real: real.answer, generated: generated.answer };
}

/** The record of a pair, in the authors' order of fields. */
export function recordFromPair(pair: Pair): PairRecord {
  const messages = (answer: string): Message[] => [
    ...(pair.system === null ? [] : [{ role: "system", content: pair.system }]),
    { role: "user", content: pair.prompt },
    { role: "assistant", content: answer },
  ];
  return { real: messages(pair.real), generated: messages(pair.generated) };
}

/**
 * The pairs of a file in their order.
 *
 * @throws what `readRecords` throws; `data-bad-record` where a record is no pair
 */
export async function* readPairs(source: string, options: ReadOptions = {}): AsyncGenerator<Pair> {
  for await (const record of readRecords(source, pairRecordSchema, options)) yield pairFromRecord(record);
}

/** Writes pairs as parquet, in the authors' layout. @throws `data-write-failed` */
export async function writePairsParquet(
  path: string,
  pairs: AsyncIterable<Pair> | Iterable<Pair>,
): Promise<void> {
  const rows: WriteParquetOptions["rows"] = recordsOf(pairs);
  await writeParquet(path, {
    columns: [
      { name: "real", type: "messages" },
      { name: "generated", type: "messages" },
    ],
    rows,
  });
}

async function* recordsOf(pairs: AsyncIterable<Pair> | Iterable<Pair>): AsyncGenerator<PairRecord> {
  for await (const pair of pairs) yield recordFromPair(pair);
}

function exchangeOf(messages: readonly Message[]): Exchange {
  const exchange = firstExchange(messages);
  if (exchange === null) throw new TypeError("a pair record needs a user message and an assistant message");
  return exchange;
}
