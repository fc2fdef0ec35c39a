/** Asks weights for answers to a prompt as a person typed it. */
import type { Engine } from "../../contract/index.ts";
import type { PromptRenderer } from "../../text/index.ts";
import { SparError } from "../../base/index.ts";
import type { LoadedWeights } from "./load-weights.ts";

export interface SampleSettings {
  readonly temperature: number;
  readonly count: number;
  readonly maxTokens: number;
  readonly seed: number;
}

export interface AnswerRequest {
  readonly engine: Engine;
  readonly renderer: PromptRenderer;
  readonly weights: LoadedWeights;
  readonly prompt: string;
  readonly settings: SampleSettings;
}

/**
 * One text per sibling, in order.
 *
 * @throws `prompt-too-long` where the context leaves no room for an answer
 */
export async function answer(request: AnswerRequest): Promise<string[]> {
  const { engine, renderer, weights, settings } = request;
  const { chunks, tokenIds } = renderer.render([{ kind: "text", role: "user", text: request.prompt }]);
  if (chunks.length === 0) throw emptyPrompt();
  const room = weights.model.contextLength - tokenIds.length;
  if (room < 1) throw promptTooLong(tokenIds.length, weights.model.contextLength);
  const { sequences } = await engine.sample(weights.version, {
    prompt: chunks,
    count: settings.count,
    parameters: {
      maxTokens: Math.min(settings.maxTokens, room),
      temperature: settings.temperature,
      stopTokenIds: renderer.stopTokenIds,
      seed: settings.seed,
    },
  });
  return sequences.map((sequence) => renderer.decode(sequence.tokenIds));
}

function promptTooLong(tokenCount: number, contextLength: number): SparError {
  return new SparError({
    code: "prompt-too-long",
    boundary: "text",
    message: `the prompt has ${tokenCount} tokens, the model reads at most ${contextLength} and needs room for an answer`,
    hint: "give a shorter prompt",
  });
}

function emptyPrompt(): SparError {
  return new SparError({
    code: "prompt-empty",
    boundary: "text",
    message: "expected a prompt with at least one token, got an empty one",
    hint: "type something to answer",
  });
}
