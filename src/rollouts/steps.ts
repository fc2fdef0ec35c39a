/**
 * Work for when everybody has run dry, that is, once every microtask is done. The episodes of a play share one call
 * of the event loop for it: each call has its price, and what is due in it stems from different episodes.
 */
export class Steps {
  readonly #take = (): void => this.#takeStep();
  #due: (() => void)[] = [];
  #taken: (() => void)[] = [];

  /** Does it in the next step; not in this one, where it is asked for in one. */
  next(work: () => void): void {
    if (this.#due.push(work) === 1) process.nextTick(this.#take);
  }

  #takeStep(): void {
    const works = this.#due;
    this.#due = this.#taken;
    for (const work of works) work();
    works.length = 0;
    this.#taken = works;
  }
}

/** Once everything that can go on without the event loop has gone on for a step. */
export function nextStep(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
