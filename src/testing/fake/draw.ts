/** Drawing tokens: temperature, top-k and top-p on log-probabilities, in that order. Pure. */
import type { Random } from "../../base/index.ts";

export interface DrawSettings {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
}

/**
 * The distribution that sampling draws from. Temperature 0 puts everything on the most likely token,
 * ties to the lower id; top-p keeps the fewest most likely tokens that reach the probability.
 *
 * @shape logprobs `[V]` in, probabilities `[V]` out
 */
export function drawDistribution(logprobs: ArrayLike<number>, settings: DrawSettings): Float64Array {
  const ranked = Array.from({ length: logprobs.length }, (_unused, tokenId) => tokenId).toSorted(
    (a, b) => (logprobs[b] ?? 0) - (logprobs[a] ?? 0) || a - b,
  );
  const probabilities = new Float64Array(logprobs.length);
  const [best] = ranked;
  if (settings.temperature === 0) {
    if (best !== undefined) probabilities[best] = 1;
    return probabilities;
  }
  const top = best === undefined ? 0 : (logprobs[best] ?? 0);
  const kept = settings.topK === 0 ? ranked : ranked.slice(0, settings.topK);
  for (const tokenId of kept) {
    probabilities[tokenId] = Math.exp(((logprobs[tokenId] ?? 0) - top) / settings.temperature);
  }
  normalise(probabilities);
  if (settings.topP < 1) {
    let reached = 0;
    for (const tokenId of kept) {
      const probability = probabilities[tokenId] ?? 0;
      if (reached >= settings.topP) probabilities[tokenId] = 0;
      reached += probability;
    }
    normalise(probabilities);
  }
  return probabilities;
}

/** One token of the distribution. */
export function drawToken(probabilities: Float64Array, random: Random): number {
  const point = random.uniform();
  let sum = 0;
  let lastPossible = 0;
  for (let tokenId = 0; tokenId < probabilities.length; tokenId++) {
    const probability = probabilities[tokenId] ?? 0;
    if (probability === 0) continue;
    sum += probability;
    lastPossible = tokenId;
    if (point < sum) return tokenId;
  }
  return lastPossible;
}

function normalise(probabilities: Float64Array): void {
  const sum = probabilities.reduce((total, probability) => total + probability, 0);
  for (let index = 0; index < probabilities.length; index++)
    probabilities[index] = (probabilities[index] ?? 0) / sum;
}
