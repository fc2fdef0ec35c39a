/**
 * The JSON answers of a server: what they must hold, and nothing about what else they may. A field that no server of
 * ours or others needs to send is optional here. The bytes of results are in `results.ts`.
 */
import { z } from "zod";
import { unexpectedAnswer } from "../errors.ts";
import type { PassOutput, SampleOutput } from "./data.ts";

/**
 * Checks an answer.
 *
 * @throws `unexpected-answer` with the path of what is wrong, what was expected and what came
 */
export function parseAnswer<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  throw unexpectedAnswer(
    what,
    `the wire's answer (${issue?.message ?? "other fields"}${path})`,
    excerpt(value),
  );
}

/** JSON of an answer's bytes. @throws `unexpected-answer` */
export function parseJsonBytes(bytes: Uint8Array, what: string): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    throw unexpectedAnswer(what, "JSON", excerpt(text));
  }
}

const longestExcerpt = 200;

function excerpt(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  return text.length > longestExcerpt ? `${text.slice(0, longestExcerpt)} ...` : text;
}

/** Null and absent are the same on this wire: some servers write what others leave out. */
function maybe<T extends z.ZodType>(schema: T): z.ZodType<z.infer<T> | undefined> {
  return schema.nullish().transform((value): z.infer<T> | undefined => value ?? undefined) as z.ZodType<
    z.infer<T> | undefined
  >;
}

export interface ClientConfig {
  readonly exchangesKeys: boolean;
  readonly compresses: boolean;
  readonly longestChunkRows: number;
  readonly largestChunkBytes: number;
}

export const clientConfigAnswer: z.ZodType<ClientConfig> = z
  .object({
    pjwt_auth_enabled: z.boolean().default(false),
    proto_compress_fwdbwd: z.boolean().default(false),
    fwdbwd_max_chunk_len: z.int().positive().default(1024),
    fwdbwd_max_chunk_bytes_count: z.int().positive().default(5_000_000),
  })
  .transform((flags) => ({
    exchangesKeys: flags.pjwt_auth_enabled,
    compresses: flags.proto_compress_fwdbwd,
    longestChunkRows: flags.fwdbwd_max_chunk_len,
    largestChunkBytes: flags.fwdbwd_max_chunk_bytes_count,
  }));

export interface SupportedModel {
  readonly name: string | undefined;
  readonly contextLength: number | undefined;
}

/** What a server of ours says of itself. */
export interface ServerFacts {
  readonly protocol: number;
  readonly executor: string;
  readonly precision: "float64" | "float32" | "bfloat16";
  readonly software: string;
  readonly capabilities: readonly string[];
  /** Whether it takes folders of its machine for states and base models. */
  readonly sharesFiles: boolean;
}

export interface ServerCapabilities {
  readonly models: readonly SupportedModel[];
  readonly spar: ServerFacts | undefined;
}

const serverFacts = z
  .object({
    protocol: z.int(),
    executor: z.string(),
    precision: z.enum(["float64", "float32", "bfloat16"]),
    software: z.string(),
    capabilities: z.array(z.string()),
    shares_files: z.boolean().default(false),
  })
  .transform(({ shares_files, ...facts }) => ({ ...facts, sharesFiles: shares_files }));

export const serverCapabilitiesAnswer: z.ZodType<ServerCapabilities> = z
  .object({
    supported_models: z.array(
      z.object({ model_name: maybe(z.string()), max_context_length: maybe(z.int().positive()) }),
    ),
    spar: maybe(serverFacts),
  })
  .transform(({ supported_models, spar }) => ({
    models: supported_models.map((model) => ({
      name: model.model_name,
      contextLength: model.max_context_length,
    })),
    spar,
  }));

export const sessionAnswer: z.ZodType<string> = z
  .object({ session_id: z.string().min(1) })
  .transform(({ session_id }) => session_id);

export const samplingSessionAnswer: z.ZodType<string> = z
  .object({ sampling_session_id: z.string().min(1) })
  .transform(({ sampling_session_id }) => sampling_session_id);

/** Request ids are text; one server's are numbers in text. */
export const futureAnswer: z.ZodType<string> = z
  .object({ request_id: z.union([z.string().min(1), z.int().transform(String)]) })
  .transform(({ request_id }) => request_id);

export const createdModelAnswer: z.ZodType<string> = z
  .object({ model_id: z.string().min(1) })
  .transform(({ model_id }) => model_id);

/** Where something was saved; servers of ours also say in which folder of their machine. */
export interface SavedAnswer {
  readonly path: string;
  readonly folder: string | undefined;
}

export const savedAnswer: z.ZodType<SavedAnswer> = z
  .object({
    path: z.string().regex(/^(?:tinker|file):\/\//u),
    spar: maybe(z.object({ folder: maybe(z.string()) })),
  })
  .transform(({ path, spar }) => ({ path, folder: spar?.folder }));

export const anyAnswer: z.ZodType<null> = z.unknown().transform(() => null);

export interface OptimizerAnswer {
  readonly metrics: Readonly<Record<string, number>>;
}

export const optimizerAnswer: z.ZodType<OptimizerAnswer> = z
  .object({ metrics: maybe(z.record(z.string(), z.number())) })
  .nullable()
  .transform((answer) => ({ metrics: answer?.metrics ?? {} }));

export interface ModelInfo {
  readonly baseModel: string | undefined;
  readonly tokenizerId: string | undefined;
  readonly loraRank: number | undefined;
  /** Sizes, which servers of ours tell. */
  readonly sizes: ModelSizesAnswer | undefined;
}

export interface ModelSizesAnswer {
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly parameterCount: number;
  readonly trainableParameterCount: number;
}

const sizesAnswer = z
  .object({
    context_length: z.int().positive(),
    vocabulary_size: z.int().positive(),
    parameter_count: z.int().nonnegative(),
    trainable_parameter_count: z.int().nonnegative(),
  })
  .transform((sizes) => ({
    contextLength: sizes.context_length,
    vocabularySize: sizes.vocabulary_size,
    parameterCount: sizes.parameter_count,
    trainableParameterCount: sizes.trainable_parameter_count,
  }));

export const modelInfoAnswer: z.ZodType<ModelInfo> = z
  .object({
    model_data: z.object({
      base_model: maybe(z.string()),
      model_name: maybe(z.string()),
      tokenizer_id: maybe(z.string()),
      lora_config: maybe(z.object({ rank: z.int() })),
    }),
    lora_rank: maybe(z.int()),
    spar: maybe(sizesAnswer),
  })
  .transform(({ model_data, lora_rank, spar }) => ({
    baseModel: model_data.base_model ?? model_data.model_name,
    tokenizerId: model_data.tokenizer_id,
    loraRank: lora_rank ?? model_data.lora_config?.rank,
    sizes: spar,
  }));

const tensorJson = z.object({ data: z.array(z.union([z.number(), z.null(), z.string()])) });

/** Pass output in JSON, as older servers send it. */
export const passJsonAnswer: z.ZodType<PassOutput> = z
  .object({
    loss_fn_outputs: z.array(z.record(z.string(), tensorJson)),
    metrics: z.record(z.string(), z.number().nullable()).default({}),
  })
  .transform(({ loss_fn_outputs, metrics }) => ({
    rows: loss_fn_outputs.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, { data }]) => [name, numbers(data)])),
    ),
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, value ?? Number.NaN])),
  }));

/** Sample output in JSON, as older servers send it. */
export const sampleJsonAnswer: z.ZodType<SampleOutput> = z
  .object({
    sequences: z.array(
      z.object({
        stop_reason: z.enum(["stop", "length"]),
        tokens: z.array(z.int()),
        logprobs: maybe(z.array(z.number())),
      }),
    ),
    prompt_logprobs: maybe(z.array(z.number().nullable())),
  })
  .transform(({ sequences, prompt_logprobs }) => ({
    sequences: sequences.map(({ stop_reason, tokens, logprobs }) => ({
      tokenIds: tokens,
      logprobs: logprobs === undefined ? null : Float32Array.from(logprobs),
      stopReason: stop_reason,
    })),
    promptLogprobs: prompt_logprobs === undefined ? null : numbers(prompt_logprobs),
  }));

/** Numbers that JSON has no word for come as null or as text. */
function numbers(values: readonly (number | string | null)[]): Float32Array {
  return Float32Array.from(values, (value) => (value === null ? Number.NaN : Number(value)));
}
