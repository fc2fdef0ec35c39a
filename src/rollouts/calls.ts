/**
 * One call of a service by a game: answered from the record where there is one, by the service where
 * there is none. Failures of services are values for the game, unless they end more than the episode.
 */
import { copyJson, type CallOptions, type JsonValue, type OpenWaitOptions } from "../base/index.ts";
import type { CallOutcome } from "../games/index.ts";
import { callIdOf, type Call, type Failure } from "../records/index.ts";
import type { CallAnswer } from "./answers.ts";
import type { EpisodeState } from "./episode-state.ts";
import type { Place } from "./in-order.ts";
import { endsEverything, failureOf, toServiceError } from "./rollout-errors.ts";
import type { Service } from "./table-options.ts";
import { TableWait } from "./waits.ts";

/** A call with its place in the order of the game. */
export interface PlacedCall {
  readonly service: string;
  /** A copy: what the game does with its own afterwards changes nothing. */
  readonly input: JsonValue;
  readonly perform: Service;
  readonly sequence: number;
}

/** Finds or begins the answer to a call. */
export function startCall(episode: EpisodeState, called: PlacedCall, place: Place<CallAnswer>): void {
  const { service, input, sequence } = called;
  const { budget, clock } = episode;
  const limit = budget.takeCall();
  if (limit !== null) return place.came({ kind: "limit", limit });
  const recorded = episode.record?.take(sequence, { kind: "call", service, input });
  if (recorded?.kind === "call") {
    clock.replayed(recorded.call.elapsedMs);
    return place.came({ kind: "call", call: recorded.call.call });
  }
  if (recorded?.kind === "refusal") {
    clock.replayed(recorded.refusal.elapsedMs);
    return place.came({ kind: "limit", limit: "time" });
  }
  clock.goOn();
  new ServiceWait(episode, place, called).call();
}

class ServiceWait extends TableWait<JsonValue, CallAnswer> {
  readonly #called: PlacedCall;
  readonly #startMs: number;

  constructor(episode: EpisodeState, place: Place<CallAnswer>, called: PlacedCall) {
    super(episode, place);
    this.#called = called;
    this.#startMs = episode.clock.elapsedMs();
  }

  call(): void {
    const { options, budget } = this.episode;
    const leftMs = budget.leftMs(this.#startMs);
    if (leftMs <= 0) return this.outOfTime();
    this.wait({ timeoutMs: options.callTimeoutMs, leftMs });
  }

  protected awaited(): Pick<OpenWaitOptions, "boundary" | "what"> {
    return { boundary: "service", what: `the answer of service ${this.#called.service}` };
  }

  protected start(call: CallOptions): Promise<JsonValue> {
    const { perform, input } = this.#called;
    return perform(copyJson(input), call);
  }

  protected came(output: JsonValue): void {
    this.#accept(copyJson(output), null);
  }

  protected failed(thrown: unknown): void {
    const error = toServiceError(thrown, this.#called.service);
    if (endsEverything(error)) this.place.failed(error);
    else this.#accept(null, failureOf(error));
  }

  protected outOfTime(): void {
    const { options, clock } = this.episode;
    options.recorder.refuse(options.start.id, this.#called.sequence, clock.elapsedMs());
    this.place.came({ kind: "limit", limit: "time" });
  }

  /** Makes the record of the call, and writes it down. */
  #accept(output: JsonValue, failure: Failure | null): void {
    const { options, clock } = this.episode;
    const { sequence, service, input } = this.#called;
    const episodeId = options.start.id;
    const elapsedMs = clock.elapsedMs();
    const call: Call = {
      id: callIdOf(episodeId, sequence),
      episodeId,
      sequence,
      service,
      input,
      output,
      failure,
      durationMs: elapsedMs - this.#startMs,
    };
    options.recorder.call(call, elapsedMs);
    this.place.came({ kind: "call", call });
  }
}

/** What the game is told. @throws `game-endless` */
export function outcomeOf(episode: EpisodeState, answer: CallAnswer): CallOutcome {
  if (answer.kind === "limit") {
    episode.budget.countRefusal();
    return answer;
  }
  episode.calls.push(answer.call);
  const { output, failure } = answer.call;
  return failure === null
    ? { kind: "output", output: copyJson(output) }
    : { kind: "failure", code: failure.code, message: failure.message };
}
