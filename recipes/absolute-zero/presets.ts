/** The presets of Absolute Zero; where paper and released code differ, one for each. */
import type { Preset } from "spar/train";
import { absoluteZeroOptions, type AbsoluteZeroOptions } from "./options.ts";

const { seeding, entropy, sandbox } = absoluteZeroOptions.shape;

/** @paper arXiv:2505.03335v3 table 3, and section 3.3 */
const paper = {
  world: "python",
  baseModel: "Qwen/Qwen2.5-Coder-7B",
  baseModelParameterCount: 7_615_616_512,
  loraRank: 0,
  template: "plain",
  maxPromptTokens: 6144,
  maxContentTokens: 5600,
  maxReplyTokens: 8096,
  batchSize: 64,
  rolloutCount: 8,
  referenceCount: 6,
  inputCount: 10,
  stepCount: 500,
  stepsPerRound: 1,
  bufferCapacity: 16_384,
  seeding: seeding.parse({ factor: 4, maxBatches: 64, fill: "none" }),
  temperature: 1,
  proposerWeight: 1,
  entropy: entropy.parse({ propose: 0.001, solve: 0.001 }),
  optimizer: "adamw",
  learningRate: 1e-6,
  weightDecay: 0.01,
  beta2: 0.999,
  clipGradientNorm: 1,
  clipRange: 0.2,
  maxRowsPerCall: 384,
  sandbox: sandbox.parse({ timeMs: 10_000, workers: 64 }),
  controls: [],
} as const satisfies Partial<AbsoluteZeroOptions>;

export const absoluteZeroPresets: Readonly<Record<string, Preset<AbsoluteZeroOptions>>> = {
  nano: {
    summary: "programs on lists of four digits, from scratch, with real Python and two controls",
    engine: "embedded",
    options: {},
    departures: [
      "a model of 153 thousand weights that was taught the form of proposals and the easiest answers, where the paper starts from a base model",
      "programs are one to four statements of a fixed list; the Python that is executed is made from them",
      "replies have no thought; one reference, 8 rollouts, 16 tasks per type and step, proposals weigh half",
      "an entropy bonus of 0.1 for proposals and 0.003 for answers, where the paper has 0.001: without it proposals collapse at this size",
      "proposals of held-out programs are neither rewarded nor stored",
    ],
  },
  smoke: {
    summary: "SmolLM2-135M-Instruct with adapters, two steps of self-play, seeds that come with the recipe",
    engine: "torch",
    options: {
      ...paper,
      baseModel: "./smollm2",
      baseModelParameterCount: 134_515_008,
      baseModelBytesPerParameter: 4,
      loraRank: 16,
      template: "chat",
      maxPromptTokens: 1536,
      maxContentTokens: 1400,
      maxReplyTokens: 256,
      batchSize: 8,
      rolloutCount: 4,
      referenceCount: 2,
      inputCount: 4,
      stepCount: 2,
      seeding: seeding.parse({ factor: 2, maxBatches: 1, fill: "shipped" }),
      learningRate: 1e-4,
      maxRowsPerCall: 8,
      concurrency: 64,
      sandbox: sandbox.parse({ timeMs: 2000 }),
    },
    departures: [
      "a model of 135 million weights, adapters of rank 16, two steps of 48 rows",
      "seeds that the model does not find come with the recipe",
      "prompts and replies are cut at 1,536 and 256 tokens",
    ],
  },
  paper: {
    summary: "the text of the paper: Qwen2.5-Coder-7B, 64 tasks per type, role and step, 500 steps",
    engine: "torch",
    options: paper,
    departures: [
      "prompts say the same in our own words",
      "what is no fault of a proposal or an answer, such as a sandbox that failed, is no reward",
      "a second look at determinism changes hashes, addresses, clock and chance as well",
    ],
  },
  released: {
    summary:
      "the authors' code: statistics over tokens, last step's tasks, penalties for what cannot be learned from",
    engine: "torch",
    options: {
      ...paper,
      statistics: "token",
      lossMean: "token",
      solverTasks: "last-step",
      unlearnable: "penalty",
      acceptsNone: true,
    },
    departures: [
      "what the code does by mistake is not repeated: proposals accepted with an empty output, outputs that were cut, a cap that keeps the oldest tasks, answers that pass by what they inject",
      "entropies are of the whole vocabulary, means are over the update and not over its micro-batches",
    ],
  },
  "paper-cluster": {
    summary: "the paper where only adapters are to be had, on a server with many GPUs",
    engine: "tinker",
    options: {
      ...paper,
      loraRank: 32,
      learningRate: 1e-5,
      entropy: entropy.parse({ propose: 0.001, solve: 0.001, estimate: "sampled" }),
    },
    departures: [
      "adapters of rank 32 at ten times the learning rate, where the paper trains all weights",
      "the entropy bonus is estimated from the sampled tokens",
    ],
  },
};
