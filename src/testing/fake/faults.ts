/**
 * What can go wrong in the fake engine, and when. Calls are counted per kind in the order of
 * submission, from 1, so a test says "the second optimStep" and gets it.
 */
import { engineError } from "../../contract/index.ts";

export type FakeCallKind =
  | "createModel"
  | "sample"
  | "computeLogprobs"
  | "computeValues"
  | "embed"
  | "releaseVersion"
  | "forward"
  | "forwardBackward"
  | "forwardBackwardCustom"
  | "optimStep"
  | "discardGradients"
  | "publish"
  | "save"
  | "load"
  | "export"
  | "release";

export type FakeFault =
  /** The call rejects and changes nothing; `engine-failed` where no error is given. */
  | { readonly kind: "fail"; readonly call: FakeCallKind; readonly nth: number; readonly error?: Error }
  /** The call never answers; calls behind it in the same queue wait until its deadline. */
  | { readonly kind: "hang"; readonly call: FakeCallKind; readonly nth: number }
  /** The call is carried out, and its answer lost: `answer-lost`. */
  | { readonly kind: "lose-answer"; readonly call: FakeCallKind; readonly nth: number }
  /** The nth publish gives a new version, and the sampler keeps the weights that it had. */
  | { readonly kind: "forget-refresh"; readonly nth: number }
  /** From now on log-probabilities of sampled tokens are off by so much, up and down in turns. */
  | { readonly kind: "perturb-logprobs"; readonly nats: number };

/** A fault that strikes one call. */
export type CallFault = Exclude<FakeFault, { kind: "perturb-logprobs" }>;

/** Counts calls and hands out the fault that belongs to each. */
export class FaultPlan {
  readonly #faults: FakeFault[];
  readonly #counts = new Map<FakeCallKind, number>();

  constructor(faults: readonly FakeFault[]) {
    this.#faults = [...faults];
  }

  inject(fault: FakeFault): void {
    this.#faults.push(fault);
  }

  count(kind: FakeCallKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** Counts one more call and says what befalls it. */
  next(kind: FakeCallKind): CallFault | null {
    const nth = this.count(kind) + 1;
    this.#counts.set(kind, nth);
    for (const fault of this.#faults) {
      if (fault.kind === "perturb-logprobs") continue;
      const call = fault.kind === "forget-refresh" ? "publish" : fault.call;
      if (call === kind && fault.nth === nth) return fault;
    }
    return null;
  }

  /** @unit nats */
  get perturbation(): number {
    return this.#faults.reduce((nats, fault) => (fault.kind === "perturb-logprobs" ? fault.nats : nats), 0);
  }
}

export function injectedFailure(kind: FakeCallKind, nth: number): Error {
  return engineError("engine-failed", `the fake engine was told to fail ${kind} number ${nth}`, {
    retryable: true,
  });
}

export function lostAnswer(kind: FakeCallKind): Error {
  return engineError("answer-lost", `the answer to ${kind} was lost; whether it was carried out is unknown`, {
    hint: "go back to the last checkpoint",
  });
}
