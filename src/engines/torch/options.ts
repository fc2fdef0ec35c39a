/** What a user may say of the PyTorch worker, with defaults and units; the command line reads and lists it. */
import { z } from "zod";
import type { JsonObject } from "../../base/index.ts";

const schema = z.strictObject({
  python: z
    .string()
    .default("")
    .describe("a Python that has PyTorch and the worker's other packages; empty takes the installed one"),
  device: z
    .enum(["auto", "cpu", "cuda"])
    .default("auto")
    .describe("where tensors live; auto takes a GPU where there is one"),
  precision: z
    .enum(["float32", "bfloat16"])
    .default("float32")
    .describe("what the network computes in; trained weights are float32 in both"),
  deterministic: z.boolean().default(false).describe("the same bits each time, where that is slower"),
  gradientCheckpointing: z.boolean().default(false).describe("less memory, more time"),
  microBatchTokens: z
    .int()
    .positive()
    .default(2048)
    .describe("positions of one micro-batch, padding included: less memory, or more speed"),
  mayDownload: z
    .boolean()
    .default(false)
    .describe("base models may be fetched from the hub by their name; else they come from folders alone"),
  server: z
    .string()
    .default("")
    .describe("the name of a worker that spar engine start began, to be used instead of one for this run"),
  startSeconds: z.number().positive().default(300).describe("how long the worker may take to start"),
});

export interface TorchOptions {
  readonly python: string;
  readonly device: "auto" | "cpu" | "cuda";
  readonly precision: "float32" | "bfloat16";
  readonly deterministic: boolean;
  readonly gradientCheckpointing: boolean;
  readonly microBatchTokens: number;
  readonly mayDownload: boolean;
  readonly server: string;
  readonly startSeconds: number;
}

export const torchOptions: z.ZodObject = schema;

/** Options with their defaults. */
export function readOptions(given: JsonObject): TorchOptions {
  return schema.parse(given);
}

/** The worker's command line. */
export function workerArguments(
  options: TorchOptions,
  threadCount: number,
  models: readonly string[] = [],
): string[] {
  return [
    ...models.flatMap((model) => ["--model", model]),
    ...(options.device === "auto" ? [] : ["--device", options.device]),
    "--precision",
    options.precision,
    "--threads",
    String(threadCount),
    "--token-budget",
    String(options.microBatchTokens),
    ...(options.deterministic ? ["--deterministic"] : []),
    ...(options.gradientCheckpointing ? ["--gradient-checkpointing"] : []),
    ...(options.mayDownload ? ["--may-download"] : []),
    "--shared-files",
  ];
}
