/** Scores of whole inputs by published weights, on servers of ours: values at every position, or an embedding. */
import { mapBounded, type CallOptions, type JsonObject } from "../../../base/index.ts";
import { unexpectedAnswer } from "../errors.ts";
import type { WireChunk } from "../wire/data.ts";
import { chunkJson } from "../wire/pass-request.ts";
import { cutIntoChunks } from "./chunks.ts";
import type { Connection } from "./connection.ts";
import { readPassOutput } from "./pass-outputs.ts";
import { doWork } from "./unordered-work.ts";

export type ScoreOutput = "values" | "embedding";

export interface ScoreRequest {
  /** Of weights that can be sampled from. */
  readonly path: string;
  readonly output: ScoreOutput;
  readonly inputs: readonly (readonly WireChunk[])[];
}

const requestsAtOnce = 4;

/** One array per input, in order. Large lists are cut as batches are. */
export async function score(
  connection: Connection,
  { path, output, inputs }: ScoreRequest,
  call: CallOptions = {},
): Promise<Float32Array[]> {
  const parts = cutIntoChunks(
    inputs.map((input) => ({ input, tensors: {} })),
    connection.config,
  ).map((rows) => rows.map(({ input }) => input));
  const scored = await connection.bounded(`score of ${path}`, call, (signal) =>
    mapBounded(parts, requestsAtOnce, (part) =>
      scorePart(connection, { path, output, inputs: part }, signal),
    ),
  );
  return scored.flat();
}

async function scorePart(
  connection: Connection,
  { path, output, inputs }: ScoreRequest,
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const value: JsonObject = {
    model_path: path,
    output,
    inputs: inputs.map((chunks) => chunks.map(chunkJson)),
  };
  const what = `score of ${path}`;
  const repeats = { canRepeat: true, resubmits: true };
  const work = { path: "spar/score", value, what, requestType: "Score", isBinary: true, ...repeats };
  const result = await doWork(connection, work, signal);
  const { rows } = readPassOutput(result, what, inputs.length);
  return rows.map((row) => {
    const numbers = row[output];
    if (numbers === undefined) throw unexpectedAnswer(what, `output ${output} of every input`, "none");
    return numbers;
  });
}
