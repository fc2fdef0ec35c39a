/**
 * Answers in the order of the questions: work starts at once, what it gave is delivered only after
 * everything that was asked before, and the asker does all that it can before the next one is
 * delivered. So a program that asks several things at once does the same whatever comes first.
 */
import type { OpenWait } from "../base/index.ts";
import type { Steps } from "./steps.ts";

/** Where a piece of work puts what came of it. Only the first counts. */
export interface Place<Answer> {
  came(answer: Answer): void;
  failed(error: unknown): void;
  /** What the work is waiting for; given up where nobody wants the answer any more. */
  wait: Pick<OpenWait, "giveUp"> | null;
}

/** A question that is not yet answered. */
export interface Question<Answer, Delivered> extends Place<Answer> {
  /** A rejection that nobody listens to does no harm: its failure is told to `onFailure`. */
  readonly delivered: Promise<Delivered>;
}

export class InOrder {
  readonly #onFailure: (error: unknown) => void;
  readonly #steps: Steps;
  readonly #deliver = (): void => this.#deliverFirst();
  readonly #look = (): void => this.#lookAtFirst();
  #first: Slot | null = null;
  #last: Slot | null = null;
  #isScheduled = false;
  #isClosed = false;

  /** `onFailure` is told the first failure in its turn; whoever waits behind it is told the same. */
  constructor(steps: Steps, onFailure: (error: unknown) => void) {
    this.#steps = steps;
    this.#onFailure = onFailure;
  }

  /** Whether somebody still waits for an answer. */
  get isWaiting(): boolean {
    return this.#first !== null;
  }

  /** Takes the next place. What `deliver` makes of the answer, or throws, the asker is told. */
  ask<Answer, Delivered>(deliver: (answer: Answer) => Delivered): Question<Answer, Delivered> {
    const slot = new QuestionSlot(this, deliver);
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

  settled(slot: Slot): void {
    if (slot === this.#first) this.#schedule();
  }

  /** Once whoever asks has run dry: what it asks until then stands before what it asks later. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#steps.next(this.#deliver);
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
  wait: Pick<OpenWait, "giveUp"> | null;
  readonly isSettled: boolean;
  /** Tells the asker; throws what there is to fail with. */
  tell(): void;
  reject(error: unknown): void;
}

class QuestionSlot<Answer, Delivered> implements Slot, Question<Answer, Delivered> {
  readonly delivered: Promise<Delivered>;
  next: Slot | null = null;
  wait: Pick<OpenWait, "giveUp"> | null = null;
  readonly #order: InOrder;
  readonly #deliver: (answer: Answer) => Delivered;
  readonly #resolve: (delivered: Delivered) => void;
  readonly #reject: (error: unknown) => void;
  /** What tells the asker, once something came. */
  #tell: (() => void) | null = null;

  constructor(order: InOrder, deliver: (answer: Answer) => Delivered) {
    const { promise, resolve, reject } = Promise.withResolvers<Delivered>();
    this.delivered = promise;
    this.#order = order;
    this.#deliver = deliver;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get isSettled(): boolean {
    return this.#tell !== null;
  }

  came(answer: Answer): void {
    this.#settle(() => this.#resolve(this.#deliver(answer)));
  }

  failed(error: unknown): void {
    this.#settle(() => {
      throw error;
    });
  }

  tell(): void {
    this.#tell?.();
  }

  reject(error: unknown): void {
    // Who asks two and awaits them one by one is not yet listening to the second.
    this.delivered.catch(ignore);
    this.#reject(error);
  }

  #settle(tell: () => void): void {
    if (this.#tell !== null) return;
    this.#tell = tell;
    this.wait = null;
    this.#order.settled(this);
  }
}

function ignore(): void {
  // It was told through the promise, to whoever listens.
}
