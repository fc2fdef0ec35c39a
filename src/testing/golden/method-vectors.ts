/** Golden vectors of what methods add: pair losses, KL estimators, advantages. */
import { createRandom, type JsonObject } from "../../base/index.ts";
import { tokens, type Datum } from "../../contract/index.ts";
import {
  groupAdvantages,
  klEstimate,
  klEstimators,
  pairConstants,
  pairLoss,
  pairShapes,
  reinforceAdvantages,
  whiten,
  type GroupAdvantageOptions,
  type PairLossOptions,
} from "../../losses/index.ts";
import { plain, plainRows, type GoldenFile, type GoldenVector } from "./vector-file.ts";

/** Summed log-probabilities: policy real, policy generated, reference real, reference generated. */
const pairs = [
  [-45, -33, -45, -33],
  [-42, -35.5, -45, -33],
  [-50, -30, -45, -33],
  [-44.9, -33.2, -45, -33],
  [-40, -60, -45, -33],
  [-47, -43, -45, -33],
] as const;

export function pairVectors(): GoldenFile {
  const variants: readonly Omit<PairLossOptions, "pairCount">[] = [
    ...pairShapes.flatMap((shape) => [0.1, 5].map((beta) => ({ shape, beta }))),
    { shape: "logistic", beta: 0.1, isLengthNormalized: true },
    { shape: "logistic", beta: 0.1, realNll: { coefficient: 0.2 } },
    { shape: "hinge", beta: 2, isLengthNormalized: true, realNll: { coefficient: 0.2, isPerToken: true } },
  ];
  return {
    description:
      "Pair losses: mean over pairs of ell(beta * Delta), Delta = (log p real - log ref real) - (log p generated - log ref generated), sums over trained tokens. Each pair is two rows, real then generated; of each row's three tokens the first is not trained. References are sums per row.",
    tolerance: "float64",
    cases: variants.map(pairVector),
  };
}

function pairVector(variant: Omit<PairLossOptions, "pairCount">): GoldenVector {
  const options: PairLossOptions = { ...variant, pairCount: pairs.length };
  const rows = pairs.flatMap(([policyReal, policyGenerated, referenceReal, referenceGenerated], index) => [
    pairRow(index, 1, policyReal, referenceReal),
    pairRow(index, 0, policyGenerated, referenceGenerated),
  ]);
  const data = rows.map((row) => row.datum);
  const logprobs = rows.map((row) => row.logprobs);
  const { value, gradients, metrics } = pairLoss(options).evaluate({ logprobs }, data);
  const { realNll, ...rest } = options;
  const settings: JsonObject = { ...rest, ...(realNll === undefined ? {} : { realNll: { ...realNll } }) };
  return {
    name: JSON.stringify(variant),
    inputs: {
      options: settings,
      logprobs: plainRows(logprobs),
      weights: data.map((datum) => plain(datum.weights)),
      groupIds: data.map((datum) => datum.groupId ?? ""),
      sides: data.map((datum) => Number(datum.constants?.[pairConstants.side])),
      references: data.map((datum) => Number(datum.constants?.[pairConstants.reference])),
    },
    outputs: { value, gradients: plainRows(gradients.logprobs), metrics: { ...metrics } },
  };
}

function pairRow(
  index: number,
  side: 0 | 1,
  policy: number,
  reference: number,
): { readonly datum: Datum; readonly logprobs: Float64Array } {
  const datum: Datum = {
    input: [tokens([0, 0, 0])],
    targets: new Int32Array(3),
    weights: Float32Array.of(0, 1, 1),
    groupId: `pair-${index}`,
    constants: { [pairConstants.side]: side, [pairConstants.reference]: reference },
  };
  return { datum, logprobs: Float64Array.of(-7, policy / 4, (policy * 3) / 4) };
}

export function klVectors(): GoldenFile {
  const random = createRandom(2024).split("golden-kl");
  const edges = [
    [-1, -1],
    [-1, -1.0000001],
    [-0.1, -3],
    [-3, -0.1],
  ] as const;
  const drawn = Array.from({ length: 6 }, () => [-4 * random.uniform(), -4 * random.uniform()] as const);
  return {
    description:
      "KL estimators of one token: k1 = d, k2 = d^2 / 2, k3 = exp(-d) - 1 + d with d = logprob - referenceLogprob; gradient with respect to logprob.",
    tolerance: "float64",
    cases: [...edges, ...drawn].map(([logprob, referenceLogprob]) => ({
      name: `${logprob} against ${referenceLogprob}`,
      inputs: { logprob, referenceLogprob },
      outputs: Object.fromEntries(
        klEstimators.map((name): [string, JsonObject] => [
          name,
          { ...klEstimate(name, logprob, referenceLogprob) },
        ]),
      ),
    })),
  };
}

export function advantageVectors(): GoldenFile {
  const random = createRandom(2024).split("golden-advantages");
  const batches = [
    { rewards: [1, 0, 0, 1, 0.5, 3], groupIds: ["a", "a", "a", "b", "b", "c"] },
    { rewards: [1, 1, 1, 1], groupIds: ["a", "a", "b", "b"] },
    {
      rewards: Array.from({ length: 8 }, () => random.normal()),
      groupIds: Array.from({ length: 8 }, () => random.pick(["a", "b", "c"])),
    },
  ];
  const grouped: Readonly<Record<string, GroupAdvantageOptions>> = {
    groupMean: {},
    groupPopulation: { deviation: "population" },
    groupSample: { deviation: "sample", epsilon: 1e-4 },
    groupLeaveOneOut: { baseline: "leave-one-out" },
  };
  return {
    description:
      "Advantages from one reward per row: over the batch (none, batchMean, leaveOneOut, whitened with population deviation + 1e-8) and per group (mean; divided by population deviation + 1e-6; by sample deviation + 1e-4; leave one out).",
    tolerance: "float64",
    cases: batches.map(({ rewards, groupIds }, index) => ({
      name: `batch ${index}`,
      inputs: { rewards, groupIds },
      outputs: {
        none: plain(reinforceAdvantages(rewards, "none")),
        batchMean: plain(reinforceAdvantages(rewards, "batch-mean")),
        leaveOneOut: plain(reinforceAdvantages(rewards, "leave-one-out")),
        whitened: plain(whiten(rewards)),
        ...Object.fromEntries(
          Object.entries(grouped).map(([name, options]): [string, readonly number[]] => [
            name,
            plain(groupAdvantages(rewards, groupIds, options)),
          ]),
        ),
      },
    })),
  };
}
