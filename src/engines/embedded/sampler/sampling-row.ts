/**
 * One sequence being sampled: its prompt, what was sampled so far, and when it is finished. Holds no tensors.
 */
import type { Random } from "../../../base/index.ts";
import type { FinishReason } from "../../../contract/index.ts";
import type { Tokenizer } from "../../../text/index.ts";
import { chooseToken, type ChoiceSettings } from "./choose-token.ts";

export interface RowSettings extends ChoiceSettings {
  readonly maxTokens: number;
  readonly stopTokenIds: ReadonlySet<number>;
  readonly stopStrings: readonly string[];
}

export interface RowOptions {
  readonly prompt: Int32Array;
  readonly settings: RowSettings;
  readonly random: Random;
  readonly contextLength: number;
  readonly tokenizer: Tokenizer | undefined;
  readonly isCancelled: () => boolean;
}

export class SamplingRow {
  readonly prompt: Int32Array;
  readonly tokenIds: number[] = [];
  readonly logprobs: number[] = [];
  finishReason: FinishReason | undefined;
  private readonly options: RowOptions;

  constructor(options: RowOptions) {
    this.options = options;
    this.prompt = options.prompt;
  }

  /** Positions that the row can come to occupy. */
  get lengthLimit(): number {
    return Math.min(this.options.contextLength, this.prompt.length + this.options.settings.maxTokens);
  }

  get isFinished(): boolean {
    if (this.finishReason === undefined && this.options.isCancelled()) this.finishReason = "cancelled";
    return this.finishReason !== undefined;
  }

  /** The id at a position of prompt and answer together. */
  tokenAt(position: number): number {
    const id =
      position < this.prompt.length ? this.prompt[position] : this.tokenIds[position - this.prompt.length];
    return id ?? 0;
  }

  /** Takes the logits that follow `position`. Inside the prompt there is nothing to choose. */
  advance(position: number, logits: ArrayLike<number>, vocabularySize: number): void {
    if (position < this.prompt.length - 1 || this.isFinished) return;
    const { settings, random, contextLength } = this.options;
    const choice = chooseToken(logits, vocabularySize, settings, () => random.uniform());
    this.tokenIds.push(choice.tokenId);
    this.logprobs.push(choice.logprob);
    if (settings.stopTokenIds.has(choice.tokenId) || this.endsInStopString()) this.finishReason = "stop";
    else if (this.tokenIds.length >= settings.maxTokens || position + 2 > contextLength)
      this.finishReason = "length";
  }

  /** Decodes the whole answer: a stop string may begin in any token, and merges can change earlier text. */
  private endsInStopString(): boolean {
    const { settings, tokenizer } = this.options;
    if (settings.stopStrings.length === 0 || tokenizer === undefined) return false;
    const text = tokenizer.decode(this.tokenIds);
    return settings.stopStrings.some((stop) => text.includes(stop));
  }
}
