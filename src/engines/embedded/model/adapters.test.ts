import { expect, test } from "vitest";
import { createRandom } from "../../../base/index.ts";
import { adapterGradients, initialiseAdapters, listAdapters, mergeAdapters } from "./adapters.ts";
import { bufferLength, listLeaves, resolveShape } from "./layout.ts";

const shape = resolveShape({ vocabularySize: 4, contextLength: 4, width: 8, layerCount: 1, headCount: 2 });
const leaves = listLeaves(shape);
const settings = { rank: 3, alpha: 6 };
const adapters = listAdapters(leaves, settings.rank);
const random = createRandom(3);
const base = Float32Array.from({ length: bufferLength(leaves) }, () => random.normal());

function merge(trained: Float32Array): Float32Array {
  const effective = base.slice();
  mergeAdapters(adapters, settings, { base, trained, effective });
  return effective;
}

test("fresh adapters change no weight", () => {
  expect(merge(initialiseAdapters(adapters, settings.rank, 1))).toEqual(base);
});

test("attention and feed-forward projections carry adapters, nothing else does", () => {
  const parts = adapters.map(({ target }) => target.name.split(".").at(-1));
  expect(parts).toEqual(["query", "key", "value", "output", "up", "down"]);
});

test("the gradient of the adapters is the slope of what the merged weights do", () => {
  const trained = initialiseAdapters(adapters, settings.rank, 1).map(
    (value) => value + 0.3 * random.normal(),
  );
  const outer = base.map(() => random.normal());
  const value = (given: Float32Array): number =>
    merge(given).reduce((sum, weight, index) => sum + weight * outer[index]!, 0);
  const gradients = adapterGradients(adapters, settings, { effectiveGradient: outer, trained });
  for (let index = 0; index < trained.length; index += 7) {
    const [up, down] = [trained.slice(), trained.slice()];
    up[index]! += 0.5;
    down[index]! -= 0.5;
    // The value is linear in each number alone, so a large step is exact.
    expect(gradients[index]).toBeCloseTo(value(up) - value(down), 3);
  }
});
