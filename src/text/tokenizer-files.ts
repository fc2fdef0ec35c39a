/**
 * Reads the hub's two tokenizer files: which tokens are special, which have names, which chat
 * template comes with them. Fills in what older files leave out. Knows no encoding.
 */
import { z } from "zod";
import { SparError, messageOf, sha256 } from "../base/index.ts";
import type { TokenId, TokenizerDefinition } from "../contract/index.ts";

export interface TokenizerSettings {
  /** The files as the hub's library takes them. */
  readonly tokenizer: object;
  readonly config: object;
  readonly specialIds: ReadonlySet<TokenId>;
  readonly namedTokens: Readonly<Record<string, string>>;
  readonly chatTemplate: string | null;
  /** True where the model spells every text, or maps unknown symbols to a token of its own. */
  readonly coversEverything: boolean;
}

const namedToken = z.union([
  z.string(),
  z.object({ content: z.string() }).transform((token) => token.content),
]);

const modelSchema = z.looseObject({
  type: z.string().optional(),
  vocab: z.unknown(),
  unk_token: z.string().nullish(),
  byte_fallback: z.boolean().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
});

const tokenizerSchema = z.looseObject({
  model: modelSchema,
  added_tokens: z
    .array(z.looseObject({ id: z.number(), content: z.string(), special: z.boolean().optional() }))
    .nullish(),
});

const configSchema = z.looseObject({
  chat_template: z
    .union([
      z.string(),
      z.array(z.object({ name: z.string(), template: z.string() })),
      z.record(z.string(), z.string()),
    ])
    .nullish(),
});

/** A definition's digest: equal files, equal tokenizer. */
export function tokenizerDigest(definition: TokenizerDefinition): string {
  return sha256(`${sha256(definition.tokenizerJson)}${sha256(definition.tokenizerConfigJson)}`);
}

/** @throws `tokenizer-unreadable` naming the file and what is wrong with it. */
export function parseTokenizerFiles(definition: TokenizerDefinition): TokenizerSettings {
  const tokenizer = parseFile("tokenizer.json", definition.tokenizerJson, tokenizerSchema);
  const config = parseFile("tokenizer_config.json", definition.tokenizerConfigJson, configSchema);
  const namedTokens: Record<string, string> = {};
  for (const [name, value] of Object.entries(config)) {
    const token = name.endsWith("_token") ? namedToken.safeParse(value) : null;
    if (token?.success === true) namedTokens[name] = token.data;
  }
  const { model } = tokenizer;
  const unknownToken = usableUnknownToken(model, namedTokens["unk_token"]);
  const added = tokenizer.added_tokens ?? [];
  return {
    tokenizer: {
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      ...tokenizer,
      added_tokens: added,
    },
    // For word-level models the library looks for the unknown token in the configuration alone.
    config: { ...config, unk_token: unknownToken },
    specialIds: new Set(added.filter((token) => token.special === true).map((token) => token.id)),
    namedTokens,
    chatTemplate: defaultTemplate(config.chat_template ?? null),
    coversEverything: unknownToken !== undefined || model.byte_fallback === true || hasMarkedPieces(model),
  };
}

/** The unknown token where the vocabulary really holds it. */
function usableUnknownToken(
  model: z.output<typeof modelSchema>,
  named: string | undefined,
): string | undefined {
  const token = model.unk_token ?? named;
  if (token === undefined) return undefined;
  const { vocab } = model;
  if (typeof vocab !== "object" || vocab === null || Array.isArray(vocab)) return token;
  return Object.hasOwn(vocab, token) ? token : undefined;
}

/** Pieces written with a prefix or suffix cannot be compared with the text that they came from. */
function hasMarkedPieces(model: z.output<typeof modelSchema>): boolean {
  return Boolean(model.continuing_subword_prefix) || Boolean(model.end_of_word_suffix);
}

function defaultTemplate(field: z.output<typeof configSchema>["chat_template"] | null): string | null {
  if (field === null || field === undefined) return null;
  if (typeof field === "string") return field;
  if (!Array.isArray(field)) return field["default"] ?? null;
  return field.find((entry) => entry.name === "default")?.template ?? null;
}

function parseFile<Schema extends z.ZodType>(
  fileName: string,
  text: string,
  schema: Schema,
): z.output<Schema> {
  const unreadable = (reason: string, cause?: unknown): SparError =>
    new SparError({
      code: "tokenizer-unreadable",
      boundary: "text",
      message: `${fileName} cannot be read: ${reason}`,
      hint: "copy the file from the model's folder or hub page again",
      cause,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw unreadable(messageOf(thrown), thrown);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(
      (issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`,
    );
    throw unreadable(issues.join("; "), parsed.error);
  }
  return parsed.data;
}
