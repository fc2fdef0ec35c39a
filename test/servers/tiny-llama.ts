/**
 * A tiny Llama with a tokenizer of its kind, made on the spot: the embedded engine draws the weights and writes them in
 * the hub's formats, as transformers reads them.
 */
import type { Architecture, Engine, Model, TokenizerDefinition } from "../../src/contract/index.ts";

const letters = "etaoinshrdlcumwfgypbvk.,!?".split("");
/** In the order in which they apply. A space is written as Ġ, as byte-level tokenizers do. */
const merges = ["t h", "th e", "i n", "e r", "Ġ a", "Ġ the", "a n", "Ġ i", "o n", "r e", "n d", "an d"];
const special = "<|endoftext|>";

/** Byte-level BPE, as Llama 3, SmolLM2 and others have it, with few letters and few merges. */
export function tinyTokenizer(): TokenizerDefinition {
  const symbols = [special, "Ġ", ...letters, ...merges.map((merge) => merge.replace(" ", ""))];
  const vocab = Object.fromEntries(symbols.map((symbol, tokenId) => [symbol, tokenId]));
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    tokenizerJson: JSON.stringify({
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: [{ id: 0, content: special, ...flags }],
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: null,
      decoder: byteLevel,
      model: {
        type: "BPE",
        dropout: null,
        unk_token: special,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab,
        merges,
      },
    }),
    tokenizerConfigJson: JSON.stringify({
      tokenizer_class: "PreTrainedTokenizerFast",
      eos_token: special,
      unk_token: special,
      clean_up_tokenization_spaces: false,
    }),
  };
}

/** Two layers in Llama's layout; small enough for tests that look at every token and fill the context. */
export const tinyLlama: Architecture = {
  vocabularySize: 2 + letters.length + merges.length,
  contextLength: 48,
  width: 32,
  layerCount: 2,
  headCount: 4,
  feedForwardWidth: 64,
  activation: "swiglu",
  tiedEmbeddings: false,
};

/** What is known of such a model before it is made. */
export function tinyFacts(): { readonly vocabularySize: number; readonly tokenizer: TokenizerDefinition } {
  return { vocabularySize: tinyLlama.vocabularySize, tokenizer: tinyTokenizer() };
}

/** A model of this architecture, with this or another tokenizer and its tokens, to be trained or exported. */
export function createTinyLlama(
  embedded: Engine,
  facts: { readonly vocabularySize: number; readonly tokenizer: TokenizerDefinition } = tinyFacts(),
): Promise<Model> {
  const { vocabularySize, tokenizer } = facts;
  return embedded.createModel({
    name: "tiny-llama",
    from: { kind: "architecture", architecture: { ...tinyLlama, vocabularySize }, seed: 5 },
    tokenizer,
  });
}
