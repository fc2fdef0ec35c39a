/**
 * The options of SPIN, with units in their names and a reason for each default. Where paper and
 * released code differ, the option has both readings and the presets choose. Knows no engine.
 */
import { z } from "zod";
import { shippedAnnotations } from "./sources.ts";

const positiveInteger = z.int().positive();
/** One value per iteration; the last one holds for every later iteration. */
const perIteration = z.array(z.number().positive()).min(1);

export const spinOptions = z.strictObject({
  data: z
    .string()
    .default(shippedAnnotations)
    .describe(
      "where prompts and references come from: gsm8k-annotations or gsm8k-problems (shipped), a .jsonl or .parquet file, or hf://owner/name",
    ),
  exampleCount: z
    .int()
    .nonnegative()
    .default(0)
    .describe("how many training examples to take, drawn by the seed; 0 takes all"),
  heldOutCount: positiveInteger.default(400).describe("examples kept out of training for evaluation"),
  annotations: z
    .strictObject({
      operators: z
        .array(z.enum(["+", "-", "*", "/"]))
        .min(1)
        .default(["+", "-"])
        .describe("which sums take part"),
      maxExpressionCharacters: positiveInteger
        .default(5)
        .describe("longest expression, without the equals sign"),
      maxAnswerCharacters: positiveInteger.default(3).describe("longest answer, without the end marker"),
      reversedAnswers: z.boolean().default(false).describe("writes answers from the last digit to the first"),
    })
    .prefault({})
    .describe("which of the shipped GSM8K annotations take part"),
  baseModel: z
    .string()
    .default("")
    .describe(
      "a folder (./name) or a name that the engine knows; empty trains a model from scratch in the same run",
    ),
  tokenizerFolder: z
    .string()
    .default("")
    .describe("a folder with the base model's tokenizer, where baseModel is a name; empty: the base model's"),
  baseModelParameterCount: z
    .int()
    .nonnegative()
    .default(0)
    .describe("size of the base model, for the memory estimate of the plan; 0 reads it from its folder"),
  baseModelBytesPerParameter: z
    .union([z.literal(2), z.literal(4)])
    .default(2)
    .describe("what the engine keeps it in, for the same estimate: 2 is bfloat16, 4 float32"),
  architecture: z
    .strictObject({
      width: positiveInteger.default(96).describe("numbers per position, a multiple of four times headCount"),
      layerCount: positiveInteger.default(2).describe("layers, each of attention and feed-forward"),
      headCount: positiveInteger.default(4).describe("heads of attention per layer"),
      positions: z
        .enum(["rotary", "learned", "linear-bias"])
        .default("learned")
        .describe("how the model knows where a token stands"),
    })
    .prefault({})
    .describe("the model that is trained from scratch where no base model is named"),
  loraRank: z.int().nonnegative().default(0).describe("rank of the adapters; 0 trains all weights"),
  template: z
    .enum(["plain", "chat", "instruction"])
    .default("plain")
    .describe(
      "how a prompt becomes tokens: as it is, by the model's chat template, or under instruction headers",
    ),
  maxPromptTokens: positiveInteger
    .default(8)
    .describe(
      "what is left of a prompt, its end, where prompt and answer together exceed maxSequenceTokens (the authors' rule); where they fit, prompts are not cut",
    ),
  maxSequenceTokens: positiveInteger.default(16).describe("longest prompt and answer together: the context"),
  maxAnswerTokens: positiveInteger.default(6).describe("cap on a generated answer, end marker included"),
  warmUp: z
    .strictObject({
      epochs: z.int().nonnegative().default(20).describe("passes over the training examples"),
      rowsPerUpdate: positiveInteger.default(64).describe("examples in an update"),
      learningRate: z.number().positive().default(2e-3).describe("at the start, with AdamW"),
      weightDecay: z
        .number()
        .nonnegative()
        .default(0)
        .describe("pull of the weights to zero, apart from the gradient"),
      finalLearningRateShare: z
        .number()
        .min(0)
        .max(1)
        .default(1)
        .describe("share of the rate left at the end of a linear fall; 1 keeps it constant"),
    })
    .prefault({})
    .describe(
      "supervised fine-tuning that makes the first iterate; 0 epochs start from the base model as it is",
    ),
  iterationCount: positiveInteger
    .default(10)
    .describe("iterations of self-play: each answers all prompts, then trains"),
  opponentWindow: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe(
      "answers of how many iterates are trained on: 1 the newest, 2 also those of the one before (the paper)",
    ),
  temperature: z
    .number()
    .nonnegative()
    .default(1)
    .describe("of the generated answers: 1 as in the theory, 0 greedy as in the released data"),
  dropEqualAnswers: z
    .boolean()
    .default(true)
    .describe("leaves out pairs whose two answers are equal: they carry no gradient"),
  loss: z
    .enum(["logistic", "hinge", "correlation", "exponential"])
    .default("logistic")
    .describe("what a pair's margin u = beta Delta costs: log(1 + e^-u), max(0, 1 - u), 1 - u, e^-u"),
  betas: perIteration
    .default([3])
    .describe("strength of the pull to the previous iterate (lambda in the paper), per iteration"),
  lengthNormalised: z
    .boolean()
    .default(false)
    .describe("divides log-probabilities of an answer by its tokens"),
  nllCoefficient: z
    .number()
    .nonnegative()
    .default(0)
    .describe("coefficient of the reference answer's own negative log-likelihood"),
  optimizer: z
    .enum(["adamw", "rmsprop"])
    .default("adamw")
    .describe("of self-play and controls, begun anew in every iteration; the paper has RMSProp"),
  beta2: z.number().min(0).lt(1).default(0.98).describe("second moment of AdamW"),
  weightDecay: z
    .number()
    .nonnegative()
    .default(0)
    .describe("pull of the weights to zero: AdamW shrinks them apart from the gradient, RMSProp adds it"),
  clipGradientNorm: z
    .number()
    .nonnegative()
    .default(1)
    .describe("longest gradient of an update; 0 turns clipping off"),
  learningRates: perIteration.default([1e-4]).describe("peak learning rate, per iteration"),
  schedule: z
    .enum(["constant", "linear"])
    .default("constant")
    .describe("the learning rate within an iteration: it stays at its peak, or falls to nothing"),
  warmUpShare: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("share of the schedule over which the learning rate rises"),
  epochsPerIteration: positiveInteger.default(1).describe("passes over the pairs of an iteration"),
  scheduleEpochs: z
    .int()
    .nonnegative()
    .default(0)
    .describe("epochs that the schedule is made for; 0 means as many as are trained, more stops it early"),
  pairsPerUpdate: positiveInteger.default(32).describe("pairs in an update, of two rows each"),
  maxRowsPerCall: positiveInteger
    .default(128)
    .describe("rows sent to the engine at once; does not change the numbers"),
  concurrency: positiveInteger.default(256).describe("prompts that are answered at the same time"),
  answerTimeoutMs: positiveInteger
    .default(300_000)
    .describe("longest that one answer may take, those that are sampled beside it included"),
  collapsePairsRatio: z
    .number()
    .positive()
    .default(1.3)
    .describe("pairs left above this multiple of the first iteration's raise the collapse alarm"),
  displacementNats: z
    .number()
    .positive()
    .default(5)
    .describe(
      "mean fall of the reference answers' log-probability within an iteration that raises the displacement alarm",
    ),
  firstPairs: z
    .string()
    .default("")
    .describe("pairs of iteration 0 from a file in the authors' layout instead of answering; empty answers"),
  controls: z
    .array(z.enum(["equal-updates", "equal-time"]))
    .default(["equal-updates"])
    .describe("plain fine-tuning to compare with, from the same start, at the same learning rate"),
  equalTimeRatio: z
    .number()
    .min(0.1)
    .max(100)
    .default(1.8)
    .describe(
      "updates of fine-tuning that take as long as one of SPIN, answering included; measured, see README",
    ),
  rightAnswer: z
    .enum(["exact", "final-number"])
    .default("exact")
    .describe(
      "when a greedy answer counts as right: exact equals the reference, end marker included; final-number ends in the same number",
    ),
  sampleCount: z
    .int()
    .nonnegative()
    .default(8)
    .describe("held-out prompts whose answers before and after are shown"),
});

export type SpinOptions = ReturnType<typeof spinOptions.parse>;

/** Options and groups of options that have no effect beside the others. */
export function unusedOptions(options: SpinOptions): string[] {
  const { warmUp, schedule } = options;
  const unused: Record<string, boolean> = {
    annotations: options.data !== shippedAnnotations,
    architecture: options.baseModel !== "",
    baseModelParameterCount: options.baseModel === "",
    baseModelBytesPerParameter: options.baseModel === "",
    tokenizerFolder: options.baseModel === "",
    "warmUp.rowsPerUpdate": warmUp.epochs === 0,
    "warmUp.learningRate": warmUp.epochs === 0,
    "warmUp.weightDecay": warmUp.epochs === 0,
    "warmUp.finalLearningRateShare": warmUp.epochs === 0,
    // The warm-up has AdamW in any case.
    beta2: options.optimizer !== "adamw" && warmUp.epochs === 0,
    scheduleEpochs: schedule === "constant",
    equalTimeRatio: !options.controls.includes("equal-time"),
  };
  return Object.keys(unused).filter((name) => unused[name] === true);
}

/** The value of a per-iteration list. */
export function atIteration(values: readonly number[], iteration: number): number {
  const value = values[Math.min(iteration, values.length - 1)];
  if (value === undefined) throw new RangeError("a list of values per iteration must not be empty");
  return value;
}
