/** Options of Absolute Zero that say how it learns, where programs are executed, and what is measured. */
import { z } from "zod";

const positiveInteger = z.int().positive();
const coefficient = z.number().nonnegative();
const share = z.number().min(0).max(1);

export const learningOptions = {
  statistics: z
    .enum(["response-population", "response-sample", "token"])
    .default("response-population")
    .describe(
      "what mean and deviation of a group are taken over: responses (the paper), or tokens (the code)",
    ),
  baseline: z
    .enum(["task-and-role", "all"])
    .default("task-and-role")
    .describe("six baselines (TRR++), or one for all rewards (REINFORCE++)"),
  lossMean: z
    .enum(["response", "token"])
    .default("response")
    .describe("what the loss is a mean over: each response alike (the paper), or each token (the code)"),
  clipRange: z
    .number()
    .positive()
    .lt(1)
    .default(0.2)
    .describe("how far the ratio may go before it is clipped"),
  proposerWeight: z
    .number()
    .nonnegative()
    .default(0.5)
    .describe("of proposals beside answers (lambda); 0 trains the solver alone"),
  entropy: z
    .strictObject({
      propose: coefficient.default(0.1).describe("coefficient of the bonus for proposals"),
      solve: coefficient.default(0.003).describe("coefficient of the bonus for answers"),
      estimate: z
        .enum(["exact", "sampled"])
        .default("exact")
        .describe("exact needs an engine that gives entropies; sampled works everywhere and is noisy"),
    })
    .prefault({})
    .describe("of the entropy bonus per token"),
  optimizer: z.enum(["adamw", "adam"]).default("adamw").describe("of self-play"),
  learningRate: z.number().positive().default(4e-4).describe("of self-play, constant"),
  weightDecay: coefficient
    .default(0)
    .describe("pull of the weights to zero, apart from the gradient; adamw only"),
  beta2: z.number().min(0).lt(1).default(0.98).describe("second moment of the optimizer"),
  clipGradientNorm: coefficient.default(1).describe("longest gradient of an update; 0 turns clipping off"),
  maxRowsPerCall: positiveInteger
    .default(256)
    .describe("rows sent to the engine at once; does not change the numbers"),
  concurrency: positiveInteger.default(256).describe("episodes under way at once"),
  replyTimeoutMs: positiveInteger.default(300_000).describe("longest that one reply may take"),
  warmUp: z
    .strictObject({
      updates: z.int().nonnegative().default(700).describe("updates of supervised training; 0 for none"),
      rowsPerUpdate: positiveInteger.default(128).describe("rows in an update"),
      learningRate: z
        .number()
        .positive()
        .default(4e-3)
        .describe("at the start; it falls linearly to a twentieth"),
      deepestSolved: z
        .int()
        .min(1)
        .max(4)
        .default(2)
        .describe(
          "longest programs whose tasks are shown with answers; proposals have up to four statements",
        ),
    })
    .prefault({})
    .describe("makes a model from scratch able to propose, and to solve the easiest tasks; lists only"),
};

export const runOptions = {
  sandbox: z
    .strictObject({
      backend: z
        .enum(["pyodide", "native"])
        .default("pyodide")
        .describe("CPython in WebAssembly, or a locked-down Python of this machine"),
      workers: positiveInteger.default(2).describe("programs that run at the same time"),
      timeMs: positiveInteger.default(2000).describe("time on the processor for one execution"),
      memoryBytes: positiveInteger.default(268_435_456).describe("memory for one execution"),
      maxOutputCharacters: positiveInteger.default(4096).describe("longest output of a valid task, as text"),
    })
    .prefault({})
    .describe("where proposed programs and answers are executed"),
  evaluation: z
    .strictObject({
      tasksPerDepth: positiveInteger.default(48).describe("held-out tasks of each type and depth"),
      samples: positiveInteger.default(4).describe("answers at temperature 1 to each of them"),
      everyRounds: positiveInteger.default(3).describe("rounds between two evaluations"),
    })
    .prefault({})
    .describe("on programs of two to four statements that are in no warm-up and no buffer"),
  controls: z
    .array(z.enum(["random-proposals", "frozen-proposer"]))
    .default(["random-proposals", "frozen-proposer"])
    .describe("solvers trained beside it from the same start, on tasks that nobody learned to propose"),
  alarms: z
    .strictObject({
      validShare: share.default(0.3).describe("alarm where fewer proposals of a round are valid"),
      learnableShare: share.default(0.05).describe("alarm where fewer valid proposals can be learned from"),
      duplicateShare: share.default(0.6).describe("alarm where more proposals repeat a task of the buffer"),
      entropyNats: coefficient.default(0.05).describe("alarm where a token's mean entropy is lower"),
    })
    .prefault({})
    .describe("what a person should know while it can still be stopped"),
};
