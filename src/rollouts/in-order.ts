/**
 * Answers in the order of the questions: work starts at once, what it gave is delivered only after
 * everything that was asked before, and the asker does all that it can before the next one is
 * delivered. So a program that asks several things at once does the same whatever comes first.
 */

/** Where a piece of work puts what came of it. Only the first counts. */
export interface Place<Answer> {
  came(answer: Answer): void;
  failed(error: unknown): void;
}

interface Slot {
  /** Tells the asker; null while the work goes on. */
  tell: (() => void) | null;
  readonly reject: (error: unknown) => void;
  next: Slot | null;
}

export class InOrder {
  readonly #onFailure: (error: unknown) => void;
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

  /**
   * Starts work, and delivers its answer in its turn. What `work` and `deliver` throw the asker is told.
   * An asker that does not listen is not told, and does no harm.
   */
  run<Answer, Delivered>(
    work: (place: Place<Answer>) => void,
    deliver: (answer: Answer) => Delivered,
  ): Promise<Delivered> {
    const { promise, resolve, reject } = Promise.withResolvers<Delivered>();
    const fail = (error: unknown): void => {
      // Who asks two and awaits them one by one is not yet listening to the second.
      promise.catch(ignore);
      reject(error);
    };
    const slot = this.#append(fail);
    const place: Place<Answer> = {
      came: (answer) => this.#settle(slot, () => resolve(deliver(answer))),
      failed: (error) => this.#settle(slot, () => rethrow(error)),
    };
    try {
      work(place);
    } catch (thrown) {
      place.failed(thrown);
    }
    return promise;
  }

  /** Delivers nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#first = null;
    this.#last = null;
  }

  #append(reject: (error: unknown) => void): Slot {
    const slot: Slot = { tell: null, reject, next: null };
    if (this.#isClosed) return slot;
    if (this.#last === null) this.#first = slot;
    else this.#last.next = slot;
    this.#last = slot;
    return slot;
  }

  #settle(slot: Slot, tell: () => void): void {
    slot.tell ??= tell;
    if (slot === this.#first) this.#schedule();
  }

  /** Once whoever asks has run dry: what it asks until then stands before what it asks later. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(() => {
      this.#isScheduled = false;
      this.#deliverFirst();
    });
  }

  #deliverFirst(): void {
    const slot = this.#first;
    if (!slot?.tell) return;
    this.#first = slot.next;
    this.#last = slot.next === null ? null : this.#last;
    try {
      slot.tell();
    } catch (thrown) {
      return this.#fail(slot, thrown);
    }
    // The asker acts on it in microtasks, so the next one is looked at in one.
    if (slot.next !== null) queueMicrotask(() => this.#lookAtFirst());
  }

  #fail(first: Slot, error: unknown): void {
    this.#onFailure(error);
    this.close();
    for (let slot: Slot | null = first; slot !== null; slot = slot.next) slot.reject(error);
  }

  #lookAtFirst(): void {
    if (this.#first?.tell) this.#schedule();
  }
}

function rethrow(error: unknown): never {
  throw error;
}

function ignore(): void {
  // It was told through the promise, to whoever listens.
}
