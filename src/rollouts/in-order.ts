/**
 * Answers in the order of the questions: work starts at once, what it gave is delivered only after
 * everything that was asked before, and the asker does all that it can before the next one is
 * delivered. So a program that asks several things at once does the same whatever comes first.
 */
import type { OpenWait } from "../base/index.ts";

/** Where a piece of work puts what came of it. Only the first counts. */
export interface Place<Answer> {
  came(answer: Answer): void;
  failed(error: unknown): void;
  /** What the work is waiting for; given up where nobody wants the answer any more. */
  wait: OpenWait | null;
}

/** A question that is not yet answered. */
export interface Question<Answer, Delivered> extends Place<Answer> {
  /** A rejection that nobody listens to does no harm: its failure is told to `onFailure`. */
  readonly delivered: Promise<Delivered>;
}

export class InOrder {
  readonly #onFailure: (error: unknown) => void;
  readonly #deliver = (): void => this.#deliverFirst();
  readonly #look = (): void => this.#lookAtFirst();
  #first: Slot | null = null;
  #last: Slot | null = null;
  #isScheduled = false;
  #isClosed = false;

  /** `onFailure` is told the first failure in its turn; whoever waits behind it is told the same. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Whether somebody still waits for an answer. */
  get isWaiting(): boolean {
    return this.#first !== null;
  }

  /** Takes the next place. What `deliver` makes of the answer, or throws, the asker is told. */
  ask<Answer, Delivered>(deliver: (answer: Answer) => Delivered): Question<Answer, Delivered> {
    const slot = new QuestionSlot(deliver, (settled) => this.#settled(settled));
    if (this.#isClosed) return slot;
    if (this.#last === null) this.#first = slot;
    else this.#last.next = slot;
    this.#last = slot;
    return slot;
  }

  /** Delivers nothing any more. */
  close(): void {
    this.#isClosed = true;
    for (let slot = this.#first; slot !== null; slot = slot.next) slot.wait?.giveUp();
    this.#first = null;
    this.#last = null;
  }

  #settled(slot: Slot): void {
    if (slot === this.#first) this.#schedule();
  }

  /** Once whoever asks has run dry: what it asks until then stands before what it asks later. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(this.#deliver);
  }

  #deliverFirst(): void {
    this.#isScheduled = false;
    const slot = this.#first;
    if (slot?.isSettled !== true) return;
    this.#first = slot.next;
    this.#last = slot.next === null ? null : this.#last;
    try {
      slot.tell();
    } catch (thrown) {
      return this.#fail(slot, thrown);
    }
    // The asker acts on it in microtasks, so the next one is looked at in one.
    if (slot.next !== null) queueMicrotask(this.#look);
  }

  #fail(first: Slot, error: unknown): void {
    this.#onFailure(error);
    this.close();
    for (let slot: Slot | null = first; slot !== null; slot = slot.next) slot.reject(error);
  }

  #lookAtFirst(): void {
    if (this.#first?.isSettled === true) this.#schedule();
  }
}

interface Slot {
  next: Slot | null;
  wait: OpenWait | null;
  readonly isSettled: boolean;
  /** Tells the asker; throws what there is to fail with. */
  tell(): void;
  reject(error: unknown): void;
}

type Outcome<Answer> =
  | { readonly kind: "came"; readonly answer: Answer }
  | { readonly kind: "failed"; readonly error: unknown };

class QuestionSlot<Answer, Delivered> implements Slot, Question<Answer, Delivered> {
  readonly delivered: Promise<Delivered>;
  readonly reject: (error: unknown) => void;
  next: Slot | null = null;
  wait: OpenWait | null = null;
  readonly #resolve: (delivered: Delivered) => void;
  readonly #deliver: (answer: Answer) => Delivered;
  readonly #onSettled: (slot: Slot) => void;
  #outcome: Outcome<Answer> | null = null;

  constructor(deliver: (answer: Answer) => Delivered, onSettled: (slot: Slot) => void) {
    this.#deliver = deliver;
    this.#onSettled = onSettled;
    const { promise, resolve, reject } = Promise.withResolvers<Delivered>();
    this.delivered = promise;
    this.#resolve = resolve;
    this.reject = (error) => {
      // Who asks two and awaits them one by one is not yet listening to the second.
      promise.catch(ignore);
      reject(error);
    };
  }

  get isSettled(): boolean {
    return this.#outcome !== null;
  }

  came(answer: Answer): void {
    this.#settle({ kind: "came", answer });
  }

  failed(error: unknown): void {
    this.#settle({ kind: "failed", error });
  }

  tell(): void {
    if (this.#outcome === null) return;
    if (this.#outcome.kind === "failed") throw this.#outcome.error;
    this.#resolve(this.#deliver(this.#outcome.answer));
  }

  #settle(outcome: Outcome<Answer>): void {
    if (this.#outcome !== null) return;
    this.#outcome = outcome;
    this.wait = null;
    this.#onSettled(this);
  }
}

function ignore(): void {
  // It was told through the promise, to whoever listens.
}
