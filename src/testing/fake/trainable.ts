/**
 * Which numbers of the fake network are trained: all of its weights, or a low-rank change of its
 * output matrix. Both are a flat array, a map from it to full weights, and the pull-back of a full
 * gradient onto it.
 */
import { createRandom } from "../../base/index.ts";
import type { Tuning } from "../../contract/index.ts";
import type { NetworkLayout } from "./layout.ts";

export interface Trainable {
  readonly initial: Float64Array;
  /** Full weights from trained numbers. */
  merge(trained: Float64Array): Float64Array;
  /** d loss / d trained from d loss / d full weights. */
  pullBack(trained: Float64Array, gradient: Float64Array): Float64Array;
}

export function trainableOf(layout: NetworkLayout, base: Float64Array, tuning: Tuning): Trainable {
  switch (tuning.kind) {
    case "full":
      return {
        initial: base.slice(),
        merge: (trained) => trained,
        pullBack: (_trained, gradient) => gradient,
      };
    case "lora":
      return lowRank(layout, base, tuning);
  }
}

/**
 * output = base + alpha / rank * up down, with up `[V, R]` from zero and down `[R, H]` random, so the
 * model starts as its base.
 */
function lowRank(
  layout: NetworkLayout,
  base: Float64Array,
  tuning: Extract<Tuning, { kind: "lora" }>,
): Trainable {
  const { vocabularySize, width } = layout;
  const { rank } = tuning;
  const scale = tuning.alpha / rank;
  const upCount = vocabularySize * rank;
  const random = createRandom(tuning.seed).split("fake-adapter");
  const initial = new Float64Array(upCount + rank * width);
  for (let index = upCount; index < initial.length; index++)
    initial[index] = random.normal() / Math.sqrt(width);
  const forEachEntry = (visit: (entry: { output: number; up: number; down: number }) => void): void => {
    for (let tokenId = 0; tokenId < vocabularySize; tokenId++) {
      for (let unit = 0; unit < width; unit++) {
        for (let component = 0; component < rank; component++) {
          const output = layout.output + tokenId * width + unit;
          visit({ output, up: tokenId * rank + component, down: upCount + component * width + unit });
        }
      }
    }
  };
  return {
    initial,
    merge(trained) {
      const weights = base.slice();
      forEachEntry(({ output, up, down }) => {
        weights[output] = (weights[output] ?? 0) + scale * (trained[up] ?? 0) * (trained[down] ?? 0);
      });
      return weights;
    },
    pullBack(trained, gradient) {
      const pulled = new Float64Array(initial.length);
      forEachEntry(({ output, up, down }) => {
        const outputGradient = scale * (gradient[output] ?? 0);
        pulled[up] = (pulled[up] ?? 0) + outputGradient * (trained[down] ?? 0);
        pulled[down] = (pulled[down] ?? 0) + outputGradient * (trained[up] ?? 0);
      });
      return pulled;
    },
  };
}
