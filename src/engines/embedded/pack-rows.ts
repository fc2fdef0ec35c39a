/** Turns chunks and datums, checked before, into the plain arrays that cross to the engine's thread. */
import { capabilityMissing, type Chunk, type Datum } from "../../contract/index.ts";
import type { TrainingRow } from "./thread/protocol.ts";

/** @throws `capability-missing` where a chunk is an image */
export function packTokens(chunks: readonly Chunk[]): Int32Array {
  const ids = chunks.flatMap((chunk) => {
    if (chunk.kind === "image") throw capabilityMissing("embedded", "images");
    return chunk.tokenIds;
  });
  return Int32Array.from(ids);
}

export function packRow(datum: Datum): TrainingRow {
  return {
    tokens: packTokens(datum.input),
    targets: datum.targets,
    weights: datum.weights,
    ...(datum.advantages === undefined ? {} : { advantages: datum.advantages }),
    ...(datum.behaviorLogprobs === undefined ? {} : { behaviorLogprobs: datum.behaviorLogprobs }),
  };
}
