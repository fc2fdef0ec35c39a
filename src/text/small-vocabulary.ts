/**
 * Tokenizers for tiny models, written as the hub's own files: a word-level model over a handful of
 * symbols, a splitting pre-tokenizer and a fusing decoder, so that text round-trips exactly and the
 * files load wherever a `tokenizer.json` does. Ids: special tokens first, then the symbols in order.
 */
import { SparError } from "../base/index.ts";
import type { TokenizerDefinition } from "../contract/index.ts";
import { loadTokenizer, type Tokenizer } from "./tokenizer.ts";

export interface SpecialTokens {
  /** Closes an answer; sampling stops at it. Default `<end>`. */
  readonly endOfText?: string;
  /** Only for engines or exports that want one of its own; left out, there is none. */
  readonly pad?: string;
  /** Further control tokens, such as turn headers. */
  readonly others?: readonly string[];
}

export interface CharacterTokenizerOptions {
  /** Every symbol once; a string stands for its characters. Symbols of several characters win. */
  readonly symbols: string | readonly string[];
  readonly special?: SpecialTokens;
  /** A Jinja chat template to put into the files. */
  readonly chatTemplate?: string;
}

export interface WordTokenizerOptions {
  /** Runs of letters and underscores, each one token. */
  readonly words: readonly string[];
  /** Everything else is one token per character: spaces, digits, punctuation. Default: a space. */
  readonly symbols?: string | readonly string[];
  readonly special?: SpecialTokens;
  readonly chatTemplate?: string;
}

/**
 * A tokenizer with one token per listed symbol, longest match first.
 *
 * @throws `vocabulary-invalid` where a symbol is empty or occurs twice.
 */
export function characterTokenizer(options: CharacterTokenizerOptions): Tokenizer {
  const symbols = typeof options.symbols === "string" ? Array.from(options.symbols) : options.symbols;
  const longestFirst = symbols.toSorted((left, right) => right.length - left.length);
  return build({ ...options, symbols, pattern: longestFirst.map(escapePattern).join("|") });
}

/**
 * A tokenizer with one token per listed word and per listed character between words.
 *
 * @throws `vocabulary-invalid` where a word or symbol is empty, occurs twice or is no such thing.
 */
export function wordTokenizer(options: WordTokenizerOptions): Tokenizer {
  const symbols = Array.from(options.symbols ?? [" "]);
  for (const word of options.words) {
    if (!/^[\p{L}_]+$/u.test(word))
      throw invalid(`a word must be letters and underscores, got ${JSON.stringify(word)}`);
  }
  for (const symbol of symbols) {
    if (!/^[^\p{L}_]$/u.test(symbol)) {
      throw invalid(`a symbol must be one character that is no letter, got ${JSON.stringify(symbol)}`);
    }
  }
  return build({ ...options, symbols: [...options.words, ...symbols], pattern: "[\\p{L}_]+|[^\\p{L}_]" });
}

interface Parts {
  readonly symbols: readonly string[];
  readonly pattern: string;
  readonly special?: SpecialTokens;
  readonly chatTemplate?: string;
}

function build(parts: Parts): Tokenizer {
  const { special = {}, symbols } = parts;
  const endOfText = special.endOfText ?? "<end>";
  const control = [...(special.pad === undefined ? [] : [special.pad]), endOfText, ...(special.others ?? [])];
  const tokens = [...control, ...symbols];
  checkTokens(tokens);
  const definition: TokenizerDefinition = {
    tokenizerJson: JSON.stringify(tokenizerFile(tokens, control, parts.pattern)),
    tokenizerConfigJson: JSON.stringify({
      tokenizer_class: "PreTrainedTokenizerFast",
      eos_token: endOfText,
      ...(special.pad === undefined ? {} : { pad_token: special.pad }),
      clean_up_tokenization_spaces: false,
      ...(parts.chatTemplate === undefined ? {} : { chat_template: parts.chatTemplate }),
    }),
  };
  return loadTokenizer(definition);
}

function tokenizerFile(tokens: readonly string[], control: readonly string[], pattern: string): object {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: control.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
    post_processor: null,
    decoder: { type: "Fuse" },
    // The format demands a name here; the vocabulary does not hold it, so unknown symbols are errors.
    model: {
      type: "WordLevel",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      unk_token: "<unk>",
    },
  };
}

function checkTokens(tokens: readonly string[]): void {
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token === "") throw invalid("a symbol must not be empty");
    if (token === "<unk>") throw invalid('the symbol "<unk>" stands for what the vocabulary lacks');
    if (seen.has(token)) throw invalid(`every symbol may occur once, ${JSON.stringify(token)} occurs twice`);
    seen.add(token);
  }
}

function invalid(message: string): SparError {
  return new SparError({
    code: "vocabulary-invalid",
    boundary: "text",
    message,
    hint: "list every symbol of the data once, and special tokens apart",
  });
}

/** A symbol as a pattern that means the same to JavaScript and to the hub's own regular expressions. */
function escapePattern(symbol: string): string {
  return symbol.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
