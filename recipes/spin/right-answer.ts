/** When an answer counts as right. Short answers are compared whole, worked solutions by where they end. */
import type { TokenId } from "spar/contract";
import type { EncodedExample } from "./examples.ts";
import type { SpinOptions } from "./options.ts";

export function isRightAnswer(
  rule: SpinOptions["rightAnswer"],
  example: Pick<EncodedExample, "answer" | "answerIds">,
  given: { readonly tokenIds: readonly TokenId[]; readonly text: string },
): boolean {
  if (rule === "exact") {
    const { answerIds } = example;
    return (
      given.tokenIds.length === answerIds.length &&
      given.tokenIds.every((tokenId, index) => tokenId === answerIds[index])
    );
  }
  const expected = finalNumber(example.answer);
  return expected !== null && finalNumber(given.text) === expected;
}

/** The last number of a text, commas between thousands or not; null where it has none. */
export function finalNumber(text: string): number | null {
  const last = text.match(/(?<![\d)])-?\d+(?:,\d{3})*(?:\.\d+)?/g)?.at(-1);
  return last === undefined ? null : Number(last.replaceAll(",", ""));
}
