/**
 * What an earlier try of an episode left, looked up by place in the order of the game. A game is told
 * its record and must do with it what it did before: where it asks something else, or ends before it
 * has asked for all of it, it has departed from the record.
 */
import { canonicalJson, type JsonValue } from "../base/index.ts";
import type { RecordedCall, RecordedEpisode, RecordedRefusal, RecordedTurn } from "../records/index.ts";
import { departedFromRecord } from "./rollout-errors.ts";

export type RecordedAnswer =
  | { readonly kind: "turns"; readonly turns: readonly RecordedTurn[] }
  | { readonly kind: "call"; readonly call: RecordedCall }
  | { readonly kind: "refusal"; readonly refusal: RecordedRefusal };

/** What the game asks for at a place. */
export type Question =
  | { readonly kind: "ask"; readonly seat: string; readonly count: number; readonly digest: string }
  | { readonly kind: "call"; readonly service: string; readonly input: JsonValue };

export class RecordedAnswers {
  readonly #episodeId: string;
  readonly #answers: ReadonlyMap<number, RecordedAnswer>;
  #toldCount = 0;

  constructor(episodeId: string, recorded: RecordedEpisode) {
    this.#episodeId = episodeId;
    const answers = new Map<number, RecordedAnswer>();
    for (const [sequence, turns] of Map.groupBy(recorded.turns, ({ turn }) => turn.sequence))
      answers.set(sequence, { kind: "turns", turns });
    for (const call of recorded.calls) answers.set(call.call.sequence, { kind: "call", call });
    for (const refusal of recorded.refusals) answers.set(refusal.sequence, { kind: "refusal", refusal });
    this.#answers = answers;
  }

  /**
   * The answer to what is asked at this place; null where none was recorded.
   *
   * @throws `departed-from-record` where something else was asked then
   */
  take(sequence: number, question: Question): RecordedAnswer | null {
    const answer = this.#answers.get(sequence);
    if (answer === undefined) return null;
    if (!fits(answer, question))
      throw departedFromRecord(this.#episodeId, `at place ${sequence} ${nameOf(answer)}`);
    this.#toldCount++;
    return answer;
  }

  /** @throws `departed-from-record` where the game ended before it was told everything */
  checkAllTold(): void {
    const left = this.#answers.size - this.#toldCount;
    if (left > 0) throw departedFromRecord(this.#episodeId, `the game to go on for ${left} more places`);
  }
}

function fits(answer: RecordedAnswer, question: Question): boolean {
  switch (answer.kind) {
    case "turns":
      return (
        question.kind === "ask" &&
        answer.turns.length === question.count &&
        answer.turns.every(({ ask }) => ask === question.digest)
      );
    case "call":
      return (
        question.kind === "call" &&
        answer.call.call.service === question.service &&
        canonicalJson(answer.call.call.input) === canonicalJson(question.input)
      );
    case "refusal":
      // Which of the two was turned down was not written down.
      return true;
  }
}

function nameOf(answer: RecordedAnswer): string {
  switch (answer.kind) {
    case "turns":
      return `an ask of ${answer.turns[0]?.turn.seat} like the recorded one`;
    case "call":
      return `a call of ${answer.call.call.service} like the recorded one`;
    case "refusal":
      return "an ask or call that is refused for time";
  }
}
