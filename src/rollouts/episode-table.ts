/**
 * The table of one episode: gives asks and calls their place in the order of the game, answers them
 * from the record where there is one and from players and services where there is none, writes down
 * what came, keeps the limits. Replies reach the game in the order in which it asked, whatever order
 * they came in, so that finishing order changes nothing.
 */
import { createRandom, type JsonValue, type Random } from "../base/index.ts";
import type { Ask, CallOutcome, Reply, Table } from "../games/index.ts";
import { callIdOf, type Call, type EpisodeLimits, type RecordedTurn, type Turn } from "../records/index.ts";
import { askDigest, sameJson } from "./ask-digest.ts";
import { EpisodeClock } from "./episode-clock.ts";
import { InOrder } from "./in-order.ts";
import { makeTurn, type PlacedAsk } from "./make-turn.ts";
import { requestOf } from "./player-request.ts";
import {
  departedFromRecord,
  failureOf,
  gameError,
  playerFailure,
  tooManyRefusals,
} from "./rollout-errors.ts";
import type { EpisodeTableOptions, Service } from "./table-options.ts";
import { TurnContexts } from "./turn-contexts.ts";
import { viewOf } from "./turn-view.ts";
import { waitForPlayer, waitForService } from "./waits.ts";

type LimitReply = Extract<Reply<JsonValue>, { readonly kind: "limit" }>;

/** A game that goes on asking this often after a limit does not end by itself. */
const maximumRefusals = 1000;

export class EpisodeTable implements Table {
  readonly #options: EpisodeTableOptions;
  readonly #turns: Turn[] = [];
  readonly #calls: Call[] = [];
  readonly #recordedTurns: ReadonlyMap<number, readonly RecordedTurn[]>;
  readonly #contexts: TurnContexts;
  readonly #clock: EpisodeClock;
  readonly #order = new InOrder();
  #nextSequence = 0;
  #turnCount = 0;
  #callCount = 0;
  #tokenCount = 0;
  #refusalCount = 0;
  #isOver = false;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: EpisodeTableOptions) {
    this.#options = options;
    this.#clock = new EpisodeClock(options.clock);
    this.#contexts = new TurnContexts(options.images);
    this.#recordedTurns = Map.groupBy(options.recorded?.turns ?? [], ({ turn }) => turn.sequence);
  }

  /** Turns and calls so far, in the order of the game. */
  get turns(): readonly Turn[] {
    return this.#turns.toSorted((a, b) => a.sequence - b.sequence || a.siblingIndex - b.siblingIndex);
  }

  get calls(): readonly Call[] {
    return this.#calls.toSorted((a, b) => a.sequence - b.sequence);
  }

  /** What ended the episode from outside the game, whatever the game made of it. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  /** The episode is over: whoever still asks is refused. */
  close(): void {
    this.#isOver = true;
  }

  get left(): EpisodeLimits {
    const { turns, calls, tokens, timeMs } = this.#options.start.limits;
    return {
      turns: Math.max(0, turns - this.#turnCount),
      calls: Math.max(0, calls - this.#callCount),
      tokens: Math.max(0, tokens - this.#tokenCount),
      timeMs: Math.max(0, timeMs - this.#clock.elapsedMs()),
    };
  }

  draw<Outcome>(label: string, outcomes: readonly Outcome[]): Outcome {
    if (outcomes.length === 0)
      throw gameError("game-failed", `expected outcomes to draw ${label} from, got none`);
    return this.random(label).pick(outcomes);
  }

  random(label: string): Random {
    return createRandom(this.#options.start.seed).split("chance", label);
  }

  async ask<Parsed extends JsonValue>(seat: string, ask: Ask<Parsed>): Promise<Reply<Parsed>> {
    const [reply] = await this.askSiblings(seat, 1, ask);
    if (reply === undefined) throw gameError("game-failed", "expected a reply to one ask");
    return reply;
  }

  async askSiblings<Parsed extends JsonValue>(
    seat: string,
    count: number,
    ask: Ask<Parsed>,
  ): Promise<readonly Reply<Parsed>[]> {
    this.#check();
    if (!Number.isInteger(count) || count < 1)
      throw gameError("game-failed", `expected to ask for 1 or more replies, got ${count}`);
    const player = this.#options.seats[seat];
    if (player === undefined) {
      throw gameError(
        "unknown-seat",
        `expected one of the seats ${Object.keys(this.#options.seats).join(", ")}, the game asked ${seat}`,
      );
    }
    const sequence = this.#nextSequence++;
    const digest = askDigest(seat, count, ask);
    return this.#order.run(
      () => this.#turnsOf({ seat, count, ask, player, sequence, digest }),
      (answer) => (answer.kind === "limit" ? this.#refused(answer, count) : this.#accept(answer.turns, ask)),
    );
  }

  async call(service: string, input: JsonValue): Promise<CallOutcome> {
    this.#check();
    const perform = this.#options.services[service];
    if (perform === undefined) {
      throw gameError(
        "unknown-service",
        `expected one of the services ${Object.keys(this.#options.services).join(", ")}, the game called ${service}`,
      );
    }
    const sequence = this.#nextSequence++;
    return this.#order.run(
      () => this.#callOf({ service, input, perform, sequence }),
      (answer) => {
        if (answer.kind === "limit") {
          this.#countRefusal();
          return answer;
        }
        this.#calls.push(answer.call);
        const { output, failure } = answer.call;
        return failure === null
          ? { kind: "output", output }
          : { kind: "failure", code: failure.code, message: failure.message };
      },
    );
  }

  async #turnsOf<Parsed extends JsonValue>(
    asked: PlacedAsk<Parsed>,
  ): Promise<LimitReply | { readonly kind: "turns"; readonly turns: readonly Turn[] }> {
    const { ask, count, sequence } = asked;
    const { start, recorder } = this.#options;
    const { turns, tokens } = this.left;
    if (turns < count) return { kind: "limit", limit: "turns" };
    if (tokens < count) return { kind: "limit", limit: "tokens" };
    this.#turnCount += count;
    const recorded = this.#recordedTurns.get(sequence);
    if (recorded !== undefined) return { kind: "turns", turns: this.#fromRecord(recorded, asked) };
    if (this.#isRefusedByRecord(sequence)) return { kind: "limit", limit: "time" };
    this.#clock.goOn();
    const { timeMs } = this.left;
    if (timeMs <= 0) return this.#refuseForTime(sequence);
    const context = this.#contexts.of(ask.from?.turnId ?? null);
    const startMs = this.#clock.elapsedMs();
    const replies = await waitForPlayer(this.#options, { seat: asked.seat, leftMs: timeMs }, (call) =>
      asked.player.reply(
        requestOf(asked, { context, tokensLeft: tokens, seed: this.#seedOf(sequence) }),
        call,
      ),
    ).catch((thrown: unknown) => this.#fail(thrown));
    if (replies === "time") return this.#refuseForTime(sequence);
    if (replies.length !== count)
      this.#fail(
        playerFailure(`expected ${count} replies of ${asked.player.reference.name}, got ${replies.length}`),
      );
    const elapsedMs = this.#clock.elapsedMs();
    const made = replies.map((reply, siblingIndex) =>
      makeTurn(reply, { ...asked, episodeId: start.id, siblingIndex, durationMs: elapsedMs - startMs }),
    );
    const whole = made.filter((turn) => turn !== null);
    if (whole.length < count) return { kind: "limit", limit: "context" };
    recorder.turns(whole, asked.digest, elapsedMs);
    return { kind: "turns", turns: whole };
  }

  #seedOf(sequence: number): number {
    return createRandom(this.#options.start.seed).split("turn", sequence).seed();
  }

  #fromRecord<Parsed extends JsonValue>(
    recorded: readonly RecordedTurn[],
    asked: PlacedAsk<Parsed>,
  ): readonly Turn[] {
    const [first] = recorded;
    if (first?.ask !== asked.digest || recorded.length !== asked.count) {
      this.#fail(
        departedFromRecord(
          this.#options.start.id,
          asked.sequence,
          `an ask of ${asked.seat} like the recorded one`,
        ),
      );
    }
    for (const { elapsedMs } of recorded) this.#clock.replayed(elapsedMs);
    return recorded.map(({ turn }) => turn);
  }

  #accept<Parsed extends JsonValue>(turns: readonly Turn[], ask: Ask<Parsed>): readonly Reply<Parsed>[] {
    return turns.map((turn) => {
      this.#turns.push(turn);
      this.#contexts.add(turn, ask.prompt, ask.from?.turnId ?? null);
      this.#tokenCount += turn.logprobs.length;
      return { kind: "turn", turn: viewOf<Parsed>(turn) };
    });
  }

  async #callOf(called: {
    readonly service: string;
    readonly input: JsonValue;
    readonly perform: Service;
    readonly sequence: number;
  }): Promise<
    Extract<CallOutcome, { readonly kind: "limit" }> | { readonly kind: "call"; readonly call: Call }
  > {
    const { service, input, sequence } = called;
    const { start, recorder, recorded } = this.#options;
    if (this.left.calls < 1) return { kind: "limit", limit: "calls" };
    this.#callCount++;
    const earlier = recorded?.calls.find(({ call }) => call.sequence === sequence);
    if (earlier !== undefined) {
      if (earlier.call.service !== service || !sameAs(earlier.call.input, input)) {
        this.#fail(departedFromRecord(start.id, sequence, `a call of ${service} like the recorded one`));
      }
      this.#clock.replayed(earlier.elapsedMs);
      return { kind: "call", call: earlier.call };
    }
    if (this.#isRefusedByRecord(sequence)) return { kind: "limit", limit: "time" };
    this.#clock.goOn();
    const { timeMs } = this.left;
    if (timeMs <= 0) return this.#refuseForTime(sequence);
    const startMs = this.#clock.elapsedMs();
    const answer = await waitForService(this.#options, { service, leftMs: timeMs }, (call) =>
      called.perform(input, call),
    ).catch((thrown: unknown) => this.#fail(thrown));
    if (answer === "time") return this.#refuseForTime(sequence);
    const elapsedMs = this.#clock.elapsedMs();
    const call: Call = {
      id: callIdOf(start.id, sequence),
      episodeId: start.id,
      sequence,
      service,
      input: sameJson(input),
      output: answer.kind === "output" ? sameJson(answer.output) : null,
      failure: answer.kind === "failure" ? failureOf(answer.error) : null,
      durationMs: elapsedMs - startMs,
    };
    recorder.call(call, elapsedMs);
    return { kind: "call", call };
  }

  #isRefusedByRecord(sequence: number): boolean {
    const refusal = this.#options.recorded?.refusals.find((one) => one.sequence === sequence);
    if (refusal === undefined) return false;
    this.#clock.replayed(refusal.elapsedMs);
    return true;
  }

  /** The one limit that a replay could not find again by counting. */
  #refuseForTime(sequence: number): { readonly kind: "limit"; readonly limit: "time" } {
    this.#options.recorder.refuse(this.#options.start.id, sequence, this.#clock.elapsedMs());
    return { kind: "limit", limit: "time" };
  }

  #refused(answer: LimitReply, count: number): readonly LimitReply[] {
    this.#countRefusal();
    return Array.from({ length: count }, () => answer);
  }

  #countRefusal(): void {
    if (++this.#refusalCount > maximumRefusals) this.#fail(tooManyRefusals(maximumRefusals));
  }

  #check(): void {
    if (this.#isOver) throw gameError("game-failed", "the game went on after its end");
    if (this.#failure !== null) throw this.#failure.error;
  }

  #fail(error: unknown): never {
    this.#failure ??= { error };
    throw error;
  }
}

function sameAs(a: JsonValue, b: JsonValue): boolean {
  return JSON.stringify(sameJson(a)) === JSON.stringify(sameJson(b));
}
