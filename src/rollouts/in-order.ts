/**
 * Answers in the order of the questions: work starts at once, what it gave is delivered only after
 * everything that was asked before, and the asker can go on before the next one is delivered. So a
 * program that asks several things at once does the same whatever comes first.
 */
export class InOrder {
  #last: Promise<void> = Promise.resolve();
  #waitingCount = 0;

  async run<Answer, Delivered>(
    work: () => Promise<Answer>,
    deliver: (answer: Answer) => Delivered,
  ): Promise<Delivered> {
    const before = this.#last;
    const done = Promise.withResolvers<void>();
    this.#last = done.promise;
    this.#waitingCount++;
    try {
      const answer = await settled(work());
      await before;
      if (answer.kind === "failed") throw answer.error;
      return deliver(answer.value);
    } finally {
      this.#waitingCount--;
      // Somebody waits for us: let the asker act on this answer first.
      if (this.#waitingCount > 0) setImmediate(done.resolve);
      else done.resolve();
    }
  }
}

type Settled<T> =
  | { readonly kind: "came"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown };

function settled<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then(
    (value) => ({ kind: "came", value }),
    (error: unknown) => ({ kind: "failed", error }),
  );
}
