/** The model that the suite trains where none is given: small enough for every engine that builds models. */
import type { TokenizerDefinition } from "../../contract/index.ts";
import type { ModelUnderTest } from "./context.ts";

/** One letter per token id, so that decoded text and ids are easily compared. */
export const tinyLetters = "abcdefghijklmnop";

/** A transformer of 16 letters, 2 layers, width 16 and 24 positions, from a fixed seed. */
export function tinyModel(): ModelUnderTest {
  return {
    from: {
      kind: "architecture",
      architecture: {
        vocabularySize: tinyLetters.length,
        contextLength: 24,
        width: 16,
        layerCount: 2,
        headCount: 2,
      },
      seed: 7,
    },
    tokenizer: letterTokenizer(tinyLetters),
  };
}

/** A tokenizer in the hub's format whose token i is letter i. */
export function letterTokenizer(letters: string): TokenizerDefinition {
  const vocabulary = Object.fromEntries(Array.from(letters, (letter, tokenId) => [letter, tokenId]));
  return {
    tokenizerJson: JSON.stringify({
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: "Split", pattern: { Regex: "." }, behavior: "Isolated", invert: false },
      post_processor: null,
      decoder: { type: "Fuse" },
      model: { type: "WordLevel", vocab: vocabulary, unk_token: letters[0] ?? "" },
    }),
    tokenizerConfigJson: JSON.stringify({
      tokenizer_class: "PreTrainedTokenizer",
      clean_up_tokenization_spaces: false,
    }),
  };
}
