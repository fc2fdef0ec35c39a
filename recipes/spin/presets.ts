/** The presets of SPIN. What each changes against the paper is listed, one line each. */
import type { Preset } from "spar/train";
import type { SpinOptions } from "./options.ts";
import { shippedProblems } from "./sources.ts";

/** Numbers that the text of the paper and the released code share (arXiv:2401.01335v3 sec. 6.1, app. B.1). */
const published: Partial<SpinOptions> = {
  data: "hf://UCLA-AGI/SPIN_iter0",
  // 50k prompts in the text; the released set has 49,792 of them.
  exampleCount: 49_792,
  heldOutCount: 500,
  baseModel: "alignment-handbook/zephyr-7b-sft-full@ac6e600eefcce74f5e8bae1035d4f66019e93190",
  baseModelParameterCount: 7_241_732_096,
  warmUp: { epochs: 0, rowsPerUpdate: 64, learningRate: 5e-7, finalLearningRateShare: 1, weightDecay: 0 },
  template: "chat",
  maxAnswerTokens: 256,
  iterationCount: 4,
  opponentWindow: 2,
  betas: [0.1, 0.1, 0.1, 5],
  learningRates: [5e-7, 5e-7, 1e-7, 1e-7],
  schedule: "linear",
  warmUpShare: 0.1,
  optimizer: "rmsprop",
  weightDecay: 0,
  clipGradientNorm: 0,
  pairsPerUpdate: 64,
  maxRowsPerCall: 16,
  dropEqualAnswers: false,
  epochsPerIteration: 2,
  controls: [],
};

/** A real model where there is no accelerator: everything is there, and little of it. */
const smoke: Partial<SpinOptions> = {
  data: shippedProblems,
  exampleCount: 64,
  heldOutCount: 32,
  baseModel: "./smollm2",
  baseModelParameterCount: 134_515_008,
  baseModelBytesPerParameter: 4,
  loraRank: 16,
  template: "chat",
  maxPromptTokens: 256,
  maxSequenceTokens: 384,
  maxAnswerTokens: 128,
  warmUp: { epochs: 0, rowsPerUpdate: 8, learningRate: 5e-4, finalLearningRateShare: 1, weightDecay: 0 },
  iterationCount: 2,
  betas: [0.1],
  learningRates: [1e-4],
  // Not every server clips, and one that does not is to give the same numbers.
  clipGradientNorm: 0,
  pairsPerUpdate: 8,
  // The activations of a call are held until the loss is told: 16 rows took 13 GB.
  maxRowsPerCall: 8,
  concurrency: 64,
  answerTimeoutMs: 1_800_000,
  // A control takes half as long again.
  controls: [],
  rightAnswer: "final-number",
  sampleCount: 4,
};

export const spinPresets: Readonly<Record<string, Preset<SpinOptions>>> = {
  nano: {
    summary: "a tiny model on the arithmetic of GSM8K, minutes on a laptop",
    engine: "embedded",
    options: {},
    departures: [
      "model of a quarter of a million parameters, trained from scratch in the same run, instead of zephyr-7b-sft-full",
      "prompts are arithmetic annotations of GSM8K, answers at most a few characters, instead of UltraChat dialogues",
      "pairs with equal answers are dropped: on short answers they are common and carry no gradient",
      "AdamW instead of RMSProp; RMSProp is an option",
    ],
  },
  smoke: {
    summary: "SmolLM2-135M-Instruct on problems of GSM8K: two iterations on two cores without a GPU",
    engine: "torch",
    options: smoke,
    departures: [
      "SmolLM2-135M-Instruct with adapters of rank 16 instead of zephyr-7b-sft-full with all weights; the reference of every iteration is the model as it stands, never the adapter-free base",
      "64 problems of GSM8K with their human answers instead of 50k UltraChat prompts; calculator annotations are taken out of the answers",
      "two iterations of one epoch of 8 updates instead of four of two; answers of the newest iterate alone",
      "AdamW at a rate for adapters instead of RMSProp; constant, without a warm-up",
      "answers are cut at 128 tokens; a fifth of the references are longer",
    ],
  },
  paper: {
    summary: "the text of the paper: zephyr-7b-sft-full on 49,792 UltraChat prompts, 4 iterations",
    engine: "torch",
    options: { ...published, maxPromptTokens: 1024, maxSequenceTokens: 2048, temperature: 1 },
    departures: [
      "reference log-probabilities are computed once per pair and kept, which gives the same loss with one model in memory",
      "the 49,792 prompts of the released set stand for the 50k of the text: which 50k were drawn is not published",
    ],
  },
  released: {
    summary:
      "the authors' code: 1,024 tokens, greedy answers under instruction headers, 6-epoch schedule stopped after 2",
    engine: "torch",
    options: {
      ...published,
      maxPromptTokens: 512,
      maxSequenceTokens: 1024,
      temperature: 0,
      template: "instruction",
      scheduleEpochs: 6,
    },
    departures: [
      "one template for generation and training; the released code generates under instruction headers and trains under a chat template",
      "answers cut at the cap are not closed by an end marker, so that the cut is not what is learned",
    ],
  },
  "paper-cluster": {
    summary: "the paper on a cluster engine that trains adapters with AdamW only",
    engine: "tinker",
    options: {
      ...published,
      maxPromptTokens: 1024,
      maxSequenceTokens: 2048,
      temperature: 1,
      optimizer: "adamw",
      loraRank: 16,
      learningRates: [5e-6, 5e-6, 1e-6, 1e-6],
    },
    departures: [
      "LoRA of rank 16 instead of all weights; the reference of every iteration is the model as it stands, never the adapter-free base",
      "AdamW instead of RMSProp",
      "ten times the paper's learning rates, as adapters need; not tuned",
    ],
  },
};
