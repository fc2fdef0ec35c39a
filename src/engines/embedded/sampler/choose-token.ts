/**
 * Chooses the next token of one row from its logits, in float64, and reports the model's own log-probability of it:
 * at temperature 1 and without truncation. Knows no batch; the random number is an argument.
 */
import { present } from "../../../base/index.ts";

export interface ChoiceSettings {
  /** 0 means the most likely token, ties to the lower id. */
  readonly temperature: number;
  readonly topP: number;
  /** 0 means all. */
  readonly topK: number;
}

export interface Choice {
  readonly tokenId: number;
  /** @unit nats */
  readonly logprob: number;
}

/** `uniform` lies in [0, 1) and decides alone which token is drawn. */
export function chooseToken(
  logits: ArrayLike<number>,
  vocabularySize: number,
  settings: ChoiceSettings,
  uniform: () => number,
): Choice {
  const best = argmax(logits, vocabularySize);
  const largest = logits[best] ?? 0;
  const tokenId =
    settings.temperature === 0 ? best : draw(logits, vocabularySize, settings, largest, uniform());
  let total = 0;
  for (let id = 0; id < vocabularySize; id += 1) total += Math.exp((logits[id] ?? 0) - largest);
  return { tokenId, logprob: (logits[tokenId] ?? 0) - largest - Math.log(total) };
}

function argmax(logits: ArrayLike<number>, vocabularySize: number): number {
  let best = 0;
  for (let id = 1; id < vocabularySize; id += 1) if ((logits[id] ?? 0) > (logits[best] ?? 0)) best = id;
  return best;
}

/** Inverse of the cumulative distribution over the tokens that are kept. */
function draw(
  logits: ArrayLike<number>,
  vocabularySize: number,
  { temperature, topP, topK }: ChoiceSettings,
  largest: number,
  uniform: number,
): number {
  const masses = new Float64Array(vocabularySize);
  for (let id = 0; id < vocabularySize; id += 1)
    masses[id] = Math.exp(((logits[id] ?? 0) - largest) / temperature);
  const isTruncated = topP < 1 || (topK > 0 && topK < vocabularySize);
  const candidates = isTruncated ? truncate(masses, topP, topK) : undefined;
  const count = candidates?.length ?? vocabularySize;
  const idAt = (index: number): number =>
    candidates === undefined ? index : present(candidates[index], "a candidate");
  let total = 0;
  for (let index = 0; index < count; index += 1) total += masses[idAt(index)] ?? 0;
  let left = uniform * total;
  let last = 0;
  for (let index = 0; index < count; index += 1) {
    const mass = masses[idAt(index)] ?? 0;
    if (mass === 0) continue;
    last = idAt(index);
    left -= mass;
    if (left < 0) return last;
  }
  // Rounding can leave a crumb; it belongs to the last token with any mass.
  return last;
}

/** Ids from likely to unlikely: at most k, and no more than are needed to reach the mass p. */
function truncate(masses: Float64Array, topP: number, topK: number): number[] {
  const order = Array.from(masses.keys()).sort((a, b) => (masses[b] ?? 0) - (masses[a] ?? 0) || a - b);
  const kept = topK > 0 ? order.slice(0, topK) : order;
  if (topP >= 1) return kept;
  const limit = topP * kept.reduce((sum, id) => sum + (masses[id] ?? 0), 0);
  let reached = 0;
  const nucleus: number[] = [];
  for (const id of kept) {
    nucleus.push(id);
    reached += masses[id] ?? 0;
    if (reached >= limit) break;
  }
  return nucleus;
}
