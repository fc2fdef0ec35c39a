/**
 * What a loss of the engine contract becomes on the wire of a given server: a pass by one of the server's losses where
 * that is exactly the same sum, else nothing, and the call takes two passes. The proofs are in the comments; the tests
 * beside it compare gradients with the contract's references. Knows no model.
 */
import type { BuiltInLoss, Datum } from "../../../contract/index.ts";
import type { Profile } from "../client/profile.ts";
import type { Pass } from "../client/submissions.ts";
import type { WireChunk, WireRow } from "../wire/data.ts";

export type LossRules = Pick<Profile, "losses" | "reduction" | "honoursWeights">;

/** The batch under a built-in loss; null where the server has no loss that gives exactly this sum. */
export function encodeLoss(
  loss: BuiltInLoss,
  data: readonly Datum[],
  rules: LossRules,
  rowScale: number,
): Pass | null {
  const name = wireNames[loss.kind];
  if (rules.reduction === "row-mean") return encodeForRowMeans(loss, data, rules, rowScale);
  if (!rules.losses.includes(name)) return null;
  if (loss.kind === "crossEntropy") return { rows: data.map(weightedRow), lossName: name };
  const settings = settingsOf(loss);
  if (rules.honoursWeights) {
    const rows = data.map((datum) => policyRow(datum, datum.advantages, datum.weights));
    return { rows, lossName: name, settings };
  }
  if (!canCarryWeights(loss, data)) return null;
  return {
    rows: data.map((datum) => policyRow(datum, carriedWeights(datum, 1), null)),
    lossName: name,
    settings,
  };
}

/** A forward pass: the log-probabilities of all targets, those without weight too. */
export function encodeForward(data: readonly Datum[]): Pass {
  const rows = data.map((datum) => row(datum, { weights: new Float32Array(datum.targets.length).fill(1) }));
  return { rows, lossName: wireNames.crossEntropy, isForwardOnly: true };
}

const wireNames = {
  crossEntropy: "cross_entropy",
  importanceSampling: "importance_sampling",
  ppo: "ppo",
  cispo: "cispo",
  dro: "dro",
} as const;

/**
 * The server divides row i by the sum of its weights and everything by the number of rows. With weights of 1 the first
 * divisor is the length T of the row; advantages times T times the number of rows undo both. cispo clipped to 1..1 is
 * -sum A l whatever the sampler's log-probabilities, with A of any sign: crossEntropy with A = w.
 */
function encodeForRowMeans(
  loss: BuiltInLoss,
  data: readonly Datum[],
  rules: LossRules,
  rowScale: number,
): Pass | null {
  if (loss.kind === "crossEntropy") {
    if (!rules.losses.includes("cispo")) return null;
    const rows = data.map((datum) =>
      row(datum, {
        weights: new Float32Array(datum.targets.length).fill(1),
        advantages: datum.weights.map((weight) => weight * datum.targets.length * rowScale),
        logprobs: new Float32Array(datum.targets.length),
      }),
    );
    return { rows, lossName: "cispo", settings: { clip_low_threshold: 1, clip_high_threshold: 1 } };
  }
  if (!rules.losses.includes(wireNames[loss.kind]) || !canCarryWeights(loss, data)) return null;
  const rows = data.map((datum) => {
    const ones = new Float32Array(datum.targets.length).fill(1);
    return policyRow(datum, carriedWeights(datum, datum.targets.length * rowScale), ones);
  });
  return { rows, lossName: wireNames[loss.kind], settings: settingsOf(loss) };
}

/**
 * Whether w times the loss is the loss with advantages w A: so for importanceSampling and cispo, which are linear in
 * A; for ppo where no weight is negative, since min(r w A, c w A) = w min(r A, c A) only then; for dro, whose second
 * term has no A, where all weights are 1.
 */
function canCarryWeights(loss: BuiltInLoss, data: readonly Datum[]): boolean {
  switch (loss.kind) {
    case "importanceSampling":
    case "cispo":
      return true;
    case "ppo":
      return data.every(({ weights }) => weights.every((weight) => weight >= 0));
    case "dro":
      return data.every(({ weights }) => weights.every((weight) => weight === 1));
    case "crossEntropy":
      return false;
  }
}

function carriedWeights(datum: Datum, scale: number): Float32Array {
  return datum.weights.map((weight, index) => weight * (datum.advantages?.[index] ?? 0) * scale);
}

function settingsOf(loss: BuiltInLoss): Record<string, number> {
  switch (loss.kind) {
    case "ppo":
    case "cispo":
      return { clip_low_threshold: loss.clipLow, clip_high_threshold: loss.clipHigh };
    case "dro":
      return { beta: loss.beta };
    case "crossEntropy":
    case "importanceSampling":
      return {};
  }
}

function weightedRow(datum: Datum): WireRow {
  return row(datum, { weights: datum.weights });
}

/** Where nothing is to be gained the sampler's log-probability is 0, so that no ratio overflows: 0 times it stays 0. */
function policyRow(
  datum: Datum,
  advantages: Float32Array | undefined,
  weights: Float32Array | null,
): WireRow {
  const used = advantages ?? new Float32Array(datum.targets.length);
  const behavior = datum.behaviorLogprobs ?? new Float32Array(datum.targets.length);
  const logprobs = behavior.map((logprob, index) =>
    (weights?.[index] ?? 1) === 0 || (weights === null && used[index] === 0) ? 0 : logprob,
  );
  return row(datum, { advantages: used, logprobs, ...(weights === null ? {} : { weights }) });
}

function row(datum: Datum, tensors: Readonly<Record<string, Float32Array>>): WireRow {
  return { input: wireChunks(datum.input), tensors: { target_tokens: datum.targets, ...tensors } };
}

/** Chunks of token ids; images have their place on the wire and are refused before this is called. */
export function wireChunks(chunks: Datum["input"]): WireChunk[] {
  return chunks.flatMap((chunk): WireChunk[] =>
    chunk.kind === "tokens" ? [{ kind: "tokens", tokenIds: chunk.tokenIds }] : [],
  );
}
