/**
 * The options of Absolute Zero, with units in their names. Where paper and released code differ the option has both
 * readings, and the presets choose. Knows no engine.
 */
import { z } from "zod";
import { taskTypes } from "./tasks.ts";
import { learningOptions, runOptions } from "./training-options.ts";

const positiveInteger = z.int().positive();
const coefficient = z.number().nonnegative();

const modelOptions = {
  world: z
    .enum(["lists", "python"])
    .default("lists")
    .describe(
      "what is proposed: programs of single-letter list operations for tiny models, or Python at large",
    ),
  baseModel: z
    .string()
    .default("")
    .describe(
      "a folder (./name) or a name that the engine knows; empty trains a model from scratch on lists",
    ),
  tokenizerFolder: z
    .string()
    .default("")
    .describe("a folder with the base model's tokenizer, where baseModel is a name; empty: the base model's"),
  baseModelParameterCount: z
    .int()
    .nonnegative()
    .default(0)
    .describe("size of the base model, for the memory estimate of the plan; 0 leaves the estimate out"),
  baseModelBytesPerParameter: z
    .union([z.literal(2), z.literal(4)])
    .default(2)
    .describe("what the engine keeps it in, for the same estimate: 2 is bfloat16, 4 float32"),
  architecture: z
    .strictObject({
      width: positiveInteger.default(64).describe("numbers per position, a multiple of four times headCount"),
      layerCount: positiveInteger.default(3).describe("layers, each of attention and feed-forward"),
      headCount: positiveInteger.default(4).describe("heads of attention per layer"),
      positions: z
        .enum(["rotary", "learned", "linear-bias"])
        .default("learned")
        .describe("how the model knows where a token stands"),
      tiedEmbeddings: z.boolean().default(false).describe("one matrix for tokens that come in and go out"),
    })
    .prefault({})
    .describe("the model that is trained from scratch where no base model is named"),
  loraRank: z.int().nonnegative().default(0).describe("rank of the adapters; 0 trains all weights"),
  template: z
    .enum(["plain", "chat"])
    .default("plain")
    .describe("how a prompt becomes tokens: as it is, as for base models, or by the model's chat template"),
  maxPromptTokens: positiveInteger.default(48).describe("longest prompt, with what the template adds"),
  maxContentTokens: positiveInteger
    .default(40)
    .describe("longest text of a prompt; a proposer's references are drawn anew, and fewer, until it fits"),
  maxReplyTokens: positiveInteger.default(24).describe("cap on a reply, end marker included"),
};

const methodOptions = {
  taskTypes: z
    .array(z.enum(taskTypes))
    .min(1)
    .default([...taskTypes])
    .describe("which tasks are proposed and solved; fewer are ablations"),
  batchSize: positiveInteger.default(16).describe("proposals, and answers, of each task type in a step"),
  rolloutCount: positiveInteger
    .min(2)
    .default(8)
    .describe("answers from which the solve rate of a proposal is estimated (G)"),
  referenceCount: z
    .int()
    .nonnegative()
    .default(1)
    .describe("earlier tasks that a proposer for deduction or abduction is shown (K)"),
  inputCount: positiveInteger
    .min(2)
    .default(4)
    .describe("inputs of an induction proposal, half of them shown (N)"),
  stepCount: positiveInteger.default(60).describe("steps of self-play: propose, estimate, solve, one update"),
  stepsPerRound: positiveInteger
    .default(10)
    .describe("steps between two saved states; what a crash can cost at most, with replies kept"),
  bufferCapacity: positiveInteger.default(16_384).describe("tasks in a buffer; the newest stay"),
  seeding: z
    .strictObject({
      factor: positiveInteger.default(4).describe("seeds of each type, as a multiple of batchSize"),
      maxBatches: positiveInteger.default(8).describe("batches of proposals that are tried for each type"),
      fill: z
        .enum(["none", "shipped"])
        .default("shipped")
        .describe("what makes up for missing seeds: nothing, or programs that come with the recipe"),
      isStripped: z
        .boolean()
        .default(true)
        .describe("takes comments, docstrings and module-level statements out of seeds"),
    })
    .prefault({})
    .describe("tasks before the first step; no weight changes"),
  temperature: z
    .number()
    .positive()
    .default(1)
    .describe("of all replies that are trained on or estimated with"),
  solverTasks: z
    .enum(["this-step", "last-step"])
    .default("this-step")
    .describe(
      "whose proposals the solver trains on first: the paper has this step's, the code the last one's",
    ),
  unlearnable: z
    .enum(["zero", "penalty"])
    .default("zero")
    .describe("what a valid task earns that is never or always solved: 0 (the paper), -0.5 (the code)"),
  inductionScore: z
    .enum(["all", "share"])
    .default("all")
    .describe("what a program earns: 1 where all hidden cases pass, or the share that does"),
  acceptsNone: z.boolean().default(false).describe("whether a proposed function may return None (the code)"),
  functions: z
    .enum(["one", "several"])
    .default("one")
    .describe("how many functions a proposed program may define; with several, f or the last is called"),
  intrinsic: z
    .strictObject({
      complexity: coefficient.default(0).describe("of cognitive complexity / 15"),
      halstead: coefficient.default(0).describe("of Halstead's effort, ways and volume"),
      editDistance: coefficient.default(0).describe("of the mean distance of syntax trees to the references"),
      answerDiversity: coefficient.default(0).describe("of one minus how often the answer occurred before"),
      maximum: coefficient.default(0.5).describe("the most that each may add"),
      combination: z
        .enum(["sum", "product", "add-product", "times-sum"])
        .default("sum")
        .describe("how they meet the learnability"),
    })
    .prefault({})
    .describe("rewards for what a proposal is; the paper tried them without clear gain"),
};

export const absoluteZeroOptions = z.strictObject({
  ...modelOptions,
  ...methodOptions,
  ...learningOptions,
  ...runOptions,
});

export type AbsoluteZeroOptions = z.output<typeof absoluteZeroOptions>;

/** Options that have no effect beside the others. */
export function unusedOptions(options: AbsoluteZeroOptions): string[] {
  const { world, baseModel, optimizer } = options;
  const isScratch = baseModel === "";
  const unused: Record<string, boolean> = {
    architecture: !isScratch,
    warmUp: world === "python",
    evaluation: world === "python",
    functions: world === "lists",
    template: world === "lists",
    baseModelParameterCount: isScratch,
    baseModelBytesPerParameter: isScratch,
    tokenizerFolder: isScratch,
    weightDecay: optimizer === "adam",
  };
  return Object.keys(unused).filter((name) => unused[name] === true);
}
