/**
 * The table of one episode: gives asks and calls their place in the order of the game, and answers them
 * in that order, whatever order the answers came in, so that finishing order changes nothing. How an
 * answer comes about is not its business.
 */
import { copyJson, createRandom, messageOf, type JsonValue, type Random } from "../base/index.ts";
import type { Ask, CallOutcome, Reply, Segment, Table } from "../games/index.ts";
import type { Call, EpisodeLimits, Turn } from "../records/index.ts";
import { askDigest } from "./ask-digest.ts";
import type { AskAnswer, CallAnswer } from "./answers.ts";
import { repliesOf, startAsk } from "./asks.ts";
import { outcomeOf, startCall } from "./calls.ts";
import { EpisodeState } from "./episode-state.ts";
import type { Place } from "./in-order.ts";
import type { PlacedAsk } from "./make-turn.ts";
import { gameError, unknownName } from "./rollout-errors.ts";
import type { EpisodeTableOptions } from "./table-options.ts";

interface Asking<Parsed extends JsonValue> {
  readonly seat: string;
  readonly count: number;
  readonly ask: Ask<Parsed>;
}

export class EpisodeTable implements Table {
  readonly #options: EpisodeTableOptions;
  readonly #episode: EpisodeState;
  #isOver = false;

  constructor(options: EpisodeTableOptions) {
    this.#options = options;
    this.#episode = new EpisodeState(options);
  }

  /** What the game was told so far, in its order. */
  get turns(): readonly Turn[] {
    return this.#episode.turns;
  }

  get calls(): readonly Call[] {
    return this.#episode.calls;
  }

  /** Whether the game has asked something that it was not yet told. */
  get isWaiting(): boolean {
    return this.#episode.order.isWaiting;
  }

  /** @throws `departed-from-record` where the game ended before it was told all of an earlier try */
  checkRecordTold(): void {
    this.#episode.record?.checkAllTold();
  }

  /** What ended the episode from outside the game, whatever the game made of it. */
  get failure(): { readonly error: unknown } | null {
    return this.#episode.failure;
  }

  get left(): EpisodeLimits {
    return this.#episode.budget.left;
  }

  draw<Outcome>(label: string, outcomes: readonly Outcome[]): Outcome {
    if (outcomes.length === 0)
      throw gameError("game-failed", `expected outcomes to draw ${label} from, got none`);
    return this.random(label).pick(outcomes);
  }

  random(label: string): Random {
    return createRandom(this.#options.start.seed).split("chance", label);
  }

  ask<Parsed extends JsonValue>(seat: string, ask: Ask<Parsed>): Promise<Reply<Parsed>> {
    return this.#ask({ seat, count: 1, ask }, firstOf);
  }

  askSiblings<Parsed extends JsonValue>(
    seat: string,
    count: number,
    ask: Ask<Parsed>,
  ): Promise<readonly Reply<Parsed>[]> {
    return this.#ask({ seat, count, ask }, allOf);
  }

  call(service: string, input: JsonValue): Promise<CallOutcome> {
    const episode = this.#episode;
    try {
      this.#checkOpen();
      const perform = this.#find("service", this.#options.services, service);
      const called = { service, input: copyInput(input, service), perform, sequence: episode.nextSequence() };
      const question = episode.order.ask((answer: CallAnswer) => outcomeOf(episode, answer));
      begin(question, () => startCall(episode, called, question));
      return question.delivered;
    } catch (thrown) {
      return this.#refuse(thrown);
    }
  }

  /** The game has ended, well or not: nobody is asked any more, and nobody waited for. */
  close(): void {
    this.#isOver = true;
    this.#episode.close();
  }

  #ask<Parsed extends JsonValue, Told>(
    asking: Asking<Parsed>,
    tell: (replies: readonly Reply<Parsed>[]) => Told,
  ): Promise<Told> {
    const episode = this.#episode;
    try {
      this.#checkOpen();
      const asked = this.#place(asking);
      const question = episode.order.ask((answer: AskAnswer) => tell(repliesOf(episode, asked, answer)));
      begin(question, () => startAsk(episode, asked, question));
      return question.delivered;
    } catch (thrown) {
      return this.#refuse(thrown);
    }
  }

  #place<Parsed extends JsonValue>(asking: Asking<Parsed>): PlacedAsk<Parsed> {
    const { seat, count, ask } = asking;
    if (!Number.isInteger(count) || count < 1)
      throw gameError("game-failed", `expected to ask for 1 or more replies, got ${count}`);
    const player = this.#find("seat", this.#options.seats, seat);
    const prompt = ask.prompt.map(copySegment);
    const isCompared = this.#episode.record !== null || this.#options.recorder.keepsNothing !== true;
    const digest = isCompared ? askDigest(asking, prompt) : "";
    return { seat, count, ask, prompt, player, digest, sequence: this.#episode.nextSequence() };
  }

  #find<Found>(kind: "seat" | "service", known: Readonly<Record<string, Found>>, name: string): Found {
    const found = Object.hasOwn(known, name) ? known[name] : undefined;
    if (found === undefined) throw unknownName(kind, Object.keys(known), name);
    return found;
  }

  #checkOpen(): void {
    if (this.#isOver) throw gameError("game-failed", "the game went on after its end");
    if (this.#episode.failure !== null) throw this.#episode.failure.error;
  }

  /** What a game does wrongly ends its episode, also where it does not listen or takes no notice. */
  #refuse(thrown: unknown): Promise<never> {
    this.#episode.fail(thrown);
    const told = Promise.reject<never>(thrown);
    told.catch(ignore);
    return told;
  }
}

/** Begins to answer; what cannot even begin is told in its turn. */
function begin<Answer>(question: Place<Answer>, start: () => void): void {
  try {
    start();
  } catch (thrown) {
    question.failed(thrown);
  }
}

function firstOf<Parsed extends JsonValue>([reply]: readonly Reply<Parsed>[]): Reply<Parsed> {
  if (reply === undefined) throw gameError("game-failed", "expected a reply to one ask");
  return reply;
}

function allOf<Parsed extends JsonValue>(replies: readonly Reply<Parsed>[]): readonly Reply<Parsed>[] {
  return replies;
}

function copySegment(segment: Segment): Segment {
  const { role } = segment;
  return segment.kind === "text"
    ? { kind: "text", role, text: segment.text }
    : { kind: "image", role, imageDigest: segment.imageDigest };
}

function copyInput(input: JsonValue, service: string): JsonValue {
  try {
    return copyJson(input);
  } catch (thrown) {
    throw gameError("game-failed", `expected JSON for the service ${service}: ${messageOf(thrown)}`);
  }
}

function ignore(): void {
  // It is the failure of the episode, whether the game listens or not.
}
