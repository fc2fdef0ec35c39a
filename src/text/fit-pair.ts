/**
 * The length rule of the SPIN authors for two answers to one prompt: the longer answer decides for
 * both, so that neither can be told from the other by what was cut away.
 */
import { assert } from "../base/index.ts";
import type { TokenId } from "../contract/index.ts";

export interface PairTokens {
  readonly promptIds: readonly TokenId[];
  /** With their stop tokens. */
  readonly realIds: readonly TokenId[];
  readonly generatedIds: readonly TokenId[];
}

export interface PairLimits {
  /** The most positions of prompt and answer together. */
  readonly maxTokens: number;
  /** What a prompt is cut to, once something must be cut; its end is kept. */
  readonly maxPromptTokens: number;
}

export interface FittedPair extends PairTokens {
  readonly isPromptCut: boolean;
  /** A cut answer has lost its stop token. */
  readonly isRealCut: boolean;
  readonly isGeneratedCut: boolean;
}

/**
 * Cuts a pair to a context: first the prompt to its last `maxPromptTokens`, then, if that is not
 * enough, both answers to their first `maxTokens - maxPromptTokens`.
 *
 * @paper arXiv:2401.01335v3, official code (spin/alignment, tokenisation of pairs)
 */
export function fitPairToContext(pair: PairTokens, limits: PairLimits): FittedPair {
  const { maxTokens, maxPromptTokens } = limits;
  assert(
    Number.isInteger(maxPromptTokens) && maxPromptTokens > 0 && maxPromptTokens < maxTokens,
    `maxPromptTokens must be between 1 and ${maxTokens - 1}, got ${maxPromptTokens}`,
  );
  const longerAnswer = Math.max(pair.realIds.length, pair.generatedIds.length);
  const isOver = (promptLength: number): boolean => promptLength + longerAnswer > maxTokens;
  const promptIds = isOver(pair.promptIds.length) ? pair.promptIds.slice(-maxPromptTokens) : pair.promptIds;
  const answerTokens = isOver(promptIds.length) ? maxTokens - maxPromptTokens : longerAnswer;
  return {
    promptIds,
    realIds: pair.realIds.slice(0, answerTokens),
    generatedIds: pair.generatedIds.slice(0, answerTokens),
    isPromptCut: promptIds.length < pair.promptIds.length,
    isRealCut: pair.realIds.length > answerTokens,
    isGeneratedCut: pair.generatedIds.length > answerTokens,
  };
}
