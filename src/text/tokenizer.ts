/**
 * The one tokenizer of spar: the hub's `tokenizer.json`, read by the hub's own library. Tiny models
 * use generated files of the same kind (`small-vocabulary.ts`), so there is no second path. Knows no
 * template and no model.
 */
import { SparError, messageOf } from "../base/index.ts";
import type { TokenId, TokenizerDefinition } from "../contract/index.ts";
import { openHubTokenizer, type HubTokenizer } from "./hub-tokenizer.ts";
import { parseTokenizerFiles, type TokenizerSettings } from "./tokenizer-files.ts";
import { guardSilentDrops, tellVocabulary, unknownSymbol } from "./unknown-symbol.ts";

export interface EncodeOptions {
  /** Adds what the file's post-processor adds (BOS and the like). Default false. */
  readonly addSpecialTokens?: boolean;
}

export interface DecodeOptions {
  /** Leaves out tokens that the file calls special. Default false. */
  readonly skipSpecial?: boolean;
}

export interface Tokenizer {
  /**
   * The ids of a text; special tokens that the text spells out become their ids.
   *
   * @throws `unknown-symbol` where the vocabulary lacks a symbol and has no token for unknown ones.
   */
  encode(text: string, options?: EncodeOptions): TokenId[];
  /** The text of ids, without any tidying of spaces. Ids that the vocabulary lacks read as U+FFFD. */
  decode(tokenIds: readonly TokenId[], options?: DecodeOptions): string;
  tokenToId(token: string): TokenId | null;
  /** Whether an id is one of the file's special tokens. */
  isSpecial(tokenId: TokenId): boolean;
  /** One more than the highest id. A model's embedding may be larger, never smaller. */
  readonly vocabularySize: number;
  readonly endOfTextId: TokenId | null;
  readonly padId: TokenId | null;
  /** The named tokens of the configuration (`bos_token`, `eos_token`, ...), as templates see them. */
  readonly namedTokens: Readonly<Record<string, string>>;
  readonly chatTemplate: string | null;
  readonly definition: TokenizerDefinition;
}

/**
 * Reads a tokenizer from its two files as text.
 *
 * @throws `tokenizer-unreadable` where a file is no JSON object, `tokenizer-unsupported` where the
 * library lacks a part that the file names.
 */
export function loadTokenizer(definition: TokenizerDefinition): Tokenizer {
  const settings = parseTokenizerFiles(definition);
  const hub = open(settings);
  guardSilentDrops(hub, settings);
  const replacement = "\uFFFD";
  const tokenToId = (token: string): TokenId | null => hub.token_to_id(token) ?? null;
  const namedId = (name: string): TokenId | null => {
    const token = settings.namedTokens[name];
    return token === undefined ? null : tokenToId(token);
  };
  const decodeKnown = (tokenIds: readonly TokenId[]): string =>
    tokenIds.length === 0 ? "" : hub.decode([...tokenIds], { clean_up_tokenization_spaces: false });

  return {
    encode: (text, options = {}) => {
      if (text === "" && options.addSpecialTokens !== true) return [];
      const { ids, tokens } = hub.encode(text, { add_special_tokens: options.addSpecialTokens ?? false });
      return ids.map((tokenId, tokenIndex) => {
        if (tokenId !== undefined) return tokenId;
        throw unknownSymbol({ text, pieces: tokens }, tokenIndex, tellVocabulary(hub, settings));
      });
    },
    decode: (tokenIds, options = {}) => {
      const kept =
        options.skipSpecial === true
          ? tokenIds.filter((tokenId) => !settings.specialIds.has(tokenId))
          : tokenIds;
      return splitAtUnknown(hub, kept).map(decodeKnown).join(replacement);
    },
    tokenToId,
    isSpecial: (tokenId) => settings.specialIds.has(tokenId),
    vocabularySize: highestId(hub) + 1,
    endOfTextId: namedId("eos_token"),
    padId: namedId("pad_token"),
    namedTokens: settings.namedTokens,
    chatTemplate: settings.chatTemplate,
    definition,
  };
}

function open(settings: TokenizerSettings): HubTokenizer {
  try {
    return openHubTokenizer(settings.tokenizer, settings.config);
  } catch (thrown) {
    throw new SparError({
      code: "tokenizer-unsupported",
      boundary: "text",
      message: `tokenizer.json cannot be used: ${messageOf(thrown)}`,
      hint: "use a tokenizer.json as the hub's tokenizers library writes it",
      cause: thrown,
    });
  }
}

/** Runs of known ids between unknown ones: one more run than there are unknown ids. */
function splitAtUnknown(hub: HubTokenizer, tokenIds: readonly TokenId[]): TokenId[][] {
  const runs: TokenId[][] = [[]];
  for (const tokenId of tokenIds) {
    if (hub.id_to_token(tokenId) === undefined) runs.push([]);
    else runs.at(-1)?.push(tokenId);
  }
  return runs;
}

function highestId(hub: HubTokenizer): number {
  let highest = -1;
  for (const tokenId of hub.get_vocab().values()) highest = Math.max(highest, tokenId);
  return highest;
}
