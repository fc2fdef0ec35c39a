/** A sample of the wire as one of the engine contract, with as many sequences and log-probabilities as were asked for. */
import type { SampledSequence, SampleResponse } from "../../contract/index.ts";
import { unexpectedAnswer } from "./errors.ts";
import type { SampleOutput, WireSequence } from "./wire/data.ts";

/** @throws `unexpected-answer` */
export function responseOf(
  output: SampleOutput,
  expected: { readonly count: number; readonly positions: number; readonly wantsPrompt: boolean },
): SampleResponse {
  const { count, positions, wantsPrompt } = expected;
  if (output.sequences.length !== count)
    throw unexpectedAnswer("a sample", `${count} sequences`, `${output.sequences.length}`);
  const sequences = output.sequences.map(sequenceOf);
  if (!wantsPrompt) return { sequences };
  const prompt = output.promptLogprobs;
  // The first token has no context: some servers leave it out.
  if (prompt?.length === positions - 1) return { sequences, promptLogprobs: prompt };
  if (prompt?.length === positions) return { sequences, promptLogprobs: prompt.slice(1) };
  throw unexpectedAnswer(
    "a sample",
    `log-probabilities of ${positions} prompt tokens`,
    prompt === null ? "none" : `${prompt?.length}`,
  );
}

function sequenceOf({ tokenIds, logprobs, stopReason }: WireSequence): SampledSequence {
  if (logprobs === null) throw unexpectedAnswer("a sample", "log-probabilities of its tokens", "none");
  return { tokenIds, logprobs, finishReason: stopReason };
}
