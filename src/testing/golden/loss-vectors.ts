/** Golden vectors of the five built-in losses, made by the float64 reference. */
import { createRandom, type Random } from "../../base/index.ts";
import { referenceLoss, tokens, type BuiltInLoss, type Datum } from "../../contract/index.ts";
import { plain, type GoldenFile, type GoldenVector } from "./vector-file.ts";

const losses: readonly BuiltInLoss[] = [
  { kind: "crossEntropy" },
  { kind: "importanceSampling" },
  { kind: "ppo", clipLow: 0.8, clipHigh: 1.2 },
  { kind: "ppo", clipLow: 0.5, clipHigh: 3 },
  { kind: "cispo", clipLow: 0, clipHigh: 4 },
  { kind: "cispo", clipLow: 0.8, clipHigh: 1.2 },
  { kind: "dro", beta: 0.1 },
  { kind: "dro", beta: 2 },
];

/** One golden case, typed. @shape rows: `[B]` of arrays `[T]`; gradients `[B][T]` */
export interface GoldenLoss {
  readonly name: string;
  readonly loss: BuiltInLoss;
  readonly rows: readonly {
    readonly logprobs: readonly number[];
    readonly weights: readonly number[];
    readonly advantages: readonly number[];
    readonly behaviorLogprobs: readonly number[];
  }[];
  readonly value: number;
  readonly gradients: readonly (readonly number[])[];
}

/** Two rows by hand that reach every branch, and three random batches, under every loss. */
export function goldenLosses(): GoldenLoss[] {
  const random = createRandom(2024).split("golden-losses");
  const batches = [edgeBatch(), ...[1, 2, 3].map((index) => randomBatch(random.split(index)))];
  return batches.flatMap((batch, index) => losses.map((loss) => goldenLoss(loss, batch, index)));
}

/** The same as a file. */
export function lossVectors(): GoldenFile {
  return {
    description:
      "Value and gradient (d value / d logprobs) of the built-in losses, summed over all tokens. Rows are lists and may differ in length; ratio r = exp(logprob - behaviorLogprob); cispo stops the gradient of its clipped ratio. Inputs but logprobs are exact in float32.",
    tolerance: "float64",
    cases: goldenLosses().map(vectorOf),
  };
}

interface Batch {
  readonly data: readonly Datum[];
  readonly logprobs: readonly Float64Array[];
}

function goldenLoss(loss: BuiltInLoss, { data, logprobs }: Batch, index: number): GoldenLoss {
  const { value, gradients } = referenceLoss(loss, logprobs, data);
  return {
    name: `${JSON.stringify(loss)} on batch ${index}`,
    loss,
    rows: data.map((datum, row) => ({
      logprobs: plain(logprobs[row] ?? []),
      weights: plain(datum.weights),
      advantages: plain(datum.advantages ?? []),
      behaviorLogprobs: plain(datum.behaviorLogprobs ?? []),
    })),
    value,
    gradients: (gradients.logprobs ?? []).map(plain),
  };
}

function vectorOf({ name, loss, rows, value, gradients }: GoldenLoss): GoldenVector {
  return {
    name,
    inputs: {
      loss: { ...loss },
      logprobs: rows.map((row) => row.logprobs),
      weights: rows.map((row) => row.weights),
      advantages: rows.map((row) => row.advantages),
      behaviorLogprobs: rows.map((row) => row.behaviorLogprobs),
    },
    outputs: { value, gradients },
  };
}

/** Ratios of 1, 1.5, 0.5 and far beyond every clip, with advantages of both signs and zero. */
function edgeBatch(): Batch {
  const differences = [0, Math.log(1.5), Math.log(1.5), Math.log(0.5), Math.log(0.5), 3, -3, 0.1];
  const behaviorLogprobs = Float32Array.from(differences, (_difference, index) => -1 - index / 4);
  const row = rowOf({
    weights: Float32Array.of(1, 1, 1, 1, 1, 0.5, 2, 0),
    advantages: Float32Array.of(1, 1, -1, 1, -1, 2, -2, 1),
    behaviorLogprobs,
  });
  const logprobs = Float64Array.from(
    differences,
    (difference, index) => (behaviorLogprobs[index] ?? 0) + difference,
  );
  const short = rowOf({
    weights: Float32Array.of(0.25),
    advantages: Float32Array.of(0),
    behaviorLogprobs: Float32Array.of(-2),
  });
  return { data: [row, short], logprobs: [logprobs, Float64Array.of(-0.5)] };
}

function randomBatch(random: Random): Batch {
  const rows = Array.from({ length: 3 }, () => {
    const length = 1 + random.integer(6);
    const float32 = (draw: () => number): Float32Array => Float32Array.from({ length }, draw);
    const datum = rowOf({
      weights: float32(() => random.pick([0, 0.25, 1, 1])),
      advantages: float32(() => random.normal()),
      behaviorLogprobs: float32(() => -3 * random.uniform()),
    });
    const logprobs = Float64Array.from(
      datum.behaviorLogprobs ?? [],
      (logprob) => logprob + 0.5 * random.normal(),
    );
    return { datum, logprobs };
  });
  return { data: rows.map((row) => row.datum), logprobs: rows.map((row) => row.logprobs) };
}

function rowOf(
  arrays: Pick<Datum, "weights"> & Required<Pick<Datum, "advantages" | "behaviorLogprobs">>,
): Datum {
  const { length } = arrays.weights;
  return {
    input: [tokens(Array.from<number>({ length }).fill(0))],
    targets: new Int32Array(length),
    ...arrays,
  };
}
