/**
 * One call of a service by a game: answered from the record where there is one, by the service where
 * there is none. Failures of services are values for the game, unless they end more than the episode.
 */
import { copyJson, type JsonValue, type SparError } from "../base/index.ts";
import type { CallOutcome } from "../games/index.ts";
import { callIdOf, type Call } from "../records/index.ts";
import type { CallAnswer } from "./answers.ts";
import type { EpisodeState } from "./episode-state.ts";
import type { Place } from "./in-order.ts";
import { endsEverything, failureOf, toServiceError } from "./rollout-errors.ts";
import type { Service } from "./table-options.ts";
import { waitFor } from "./waits.ts";

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
  const { budget, clock, options } = episode;
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
  const startMs = clock.elapsedMs();
  const refuse = (): void => {
    options.recorder.refuse(options.start.id, sequence, clock.elapsedMs());
    place.came({ kind: "limit", limit: "time" });
  };
  const leftMs = budget.leftMs(startMs);
  if (leftMs <= 0) return refuse();
  const came = (answer: ServiceAnswer): void => place.came(accept(episode, { called, answer, startMs }));
  waitFor<JsonValue>(episode, {
    boundary: "service",
    what: `the answer of service ${service}`,
    timeoutMs: options.callTimeoutMs,
    leftMs,
    start: (call) => called.perform(copyJson(input), call),
    came: (output) => came({ kind: "output", output: copyJson(output) }),
    failed: (thrown) => {
      const error = toServiceError(thrown, service);
      if (endsEverything(error)) place.failed(error);
      else came({ kind: "failure", error });
    },
    outOfTime: refuse,
  });
}

type ServiceAnswer =
  | { readonly kind: "output"; readonly output: JsonValue }
  | { readonly kind: "failure"; readonly error: SparError };

/** Makes the record of a call, and writes it down. */
function accept(
  episode: EpisodeState,
  came: { readonly called: PlacedCall; readonly answer: ServiceAnswer; readonly startMs: number },
): CallAnswer {
  const { called, answer, startMs } = came;
  const { options, clock } = episode;
  const elapsedMs = clock.elapsedMs();
  const call: Call = {
    id: callIdOf(options.start.id, called.sequence),
    episodeId: options.start.id,
    sequence: called.sequence,
    service: called.service,
    input: called.input,
    output: answer.kind === "output" ? answer.output : null,
    failure: answer.kind === "failure" ? failureOf(answer.error) : null,
    durationMs: elapsedMs - startMs,
  };
  options.recorder.call(call, elapsedMs);
  return { kind: "call", call };
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
