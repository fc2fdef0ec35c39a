/**
 * The hub's tokenizer library by the members that are used here. Its own declarations import without
 * file extensions, which a NodeNext project resolves to nothing; this file says what they say.
 */
import { Tokenizer } from "@huggingface/tokenizers";

export interface HubTokenizer {
  readonly model: HubModel | null;
  /** Ids are undefined where the vocabulary lacks a symbol and has no token for unknown ones. */
  encode(
    text: string,
    options: { readonly add_special_tokens: boolean },
  ): { readonly ids: readonly (number | undefined)[]; readonly tokens: readonly string[] };
  /** Throws on an empty list. */
  decode(tokenIds: number[], options: { readonly clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(tokenId: number): string | undefined;
  get_vocab(): Map<string, number>;
}

/** The model proper: pieces of text in, tokens of the vocabulary out. */
export interface HubModel {
  encode: (pieces: string[]) => string[];
}

type HubTokenizerConstructor = new (tokenizer: object, config: object) => HubTokenizer;

/** Throws an ordinary error where the files name a part that the library lacks. */
export function openHubTokenizer(tokenizer: object, config: object): HubTokenizer {
  const Constructor = Tokenizer as HubTokenizerConstructor;
  return new Constructor(tokenizer, config);
}
