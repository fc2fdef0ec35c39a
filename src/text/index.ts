/** Text and tokens: tokenizers, prompts, and the two builders of training rows. */
export {
  chatRenderer,
  checkPrefixPreserving,
  type ChatRenderer,
  type ChatRendererOptions,
} from "./chat-renderer.ts";
export { contextChain, datumFromTurns, type DatumFromTurnsOptions } from "./datum-from-turns.ts";
export { datumFromSegments, type DataSegment, type DatumFromSegmentsOptions } from "./datum-from-segments.ts";
export type { DatumFields } from "./datum-row.ts";
export { fitPairToContext, type FittedPair, type PairLimits, type PairTokens } from "./fit-pair.ts";
export { instructionRenderer, type InstructionRendererOptions } from "./instruction-renderer.ts";
export { plainRenderer, type PlainRendererOptions } from "./plain-renderer.ts";
export type { PrefixCheck, RewritingPolicy } from "./prefix-check.ts";
export type { PromptRenderer, PromptSegment, RenderedPrompt, RenderOptions } from "./prompt-renderer.ts";
export {
  characterTokenizer,
  wordTokenizer,
  type CharacterTokenizerOptions,
  type SpecialTokens,
  type WordTokenizerOptions,
} from "./small-vocabulary.ts";
export { tokenizerDigest } from "./tokenizer-files.ts";
export { loadTokenizerFolder } from "./tokenizer-folder.ts";
export { loadTokenizer, type DecodeOptions, type EncodeOptions, type Tokenizer } from "./tokenizer.ts";
