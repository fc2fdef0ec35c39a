/**
 * Workers in a row: each request goes to the one with least to do, a worker that ended is replaced. Knows nothing of
 * what is executed.
 */
import { abortedError, messageOf, SerialQueue } from "../../base/index.ts";
import { sandboxClosed, sandboxError } from "./errors.ts";
import type { PythonBackend, PythonWorker, WireRequest, WorkerOutcome } from "./worker.ts";

interface Waiting {
  readonly request: WireRequest;
  /** By which they stand in line. */
  readonly ticket: number;
  readonly resolve: (outcome: WorkerOutcome) => void;
  readonly reject: (thrown: unknown) => void;
  /** Whether nobody waits for it any more. */
  isOver: boolean;
}

interface Place {
  worker: PythonWorker | null;
  starting: Promise<void> | null;
}

/** Given to a worker ahead of time, so that it never waits for this process. */
const mostOpen = 8;
const longestQueue = 65_536;

export class WorkerPool {
  readonly #backend: PythonBackend;
  readonly #places: Place[];
  readonly #waiting: Waiting[] = [];
  /** Fresh workers start one after another in each lane, beside the others. */
  readonly #lanes: SerialQueue[];
  readonly #fresh = new Set<PythonWorker>();
  #freshCount = 0;
  #freshOpen = 0;
  #tickets = 0;
  #isClosed = false;

  constructor(backend: PythonBackend, first: PythonWorker, workerCount: number) {
    this.#backend = backend;
    this.#places = Array.from({ length: workerCount }, () => ({ worker: null, starting: null }));
    this.#lanes = Array.from({ length: workerCount }, () => new SerialQueue());
    const [place] = this.#places;
    if (place !== undefined) place.worker = first;
  }

  /** On a worker that nothing ran on before, and nothing runs on afterwards. */
  async runFresh(request: WireRequest): Promise<WorkerOutcome> {
    const lane = this.#lanes[this.#freshCount++ % this.#lanes.length];
    if (lane === undefined) throw sandboxClosed();
    this.#freshOpen++;
    try {
      return await lane.add(() => this.#runOnFresh(request));
    } finally {
      this.#freshOpen--;
    }
  }

  async #runOnFresh(request: WireRequest): Promise<WorkerOutcome> {
    if (this.#isClosed) throw sandboxClosed();
    const worker = await this.#backend.start().catch(messageOf);
    if (typeof worker === "string") return { kind: "never-ran", message: worker };
    this.#fresh.add(worker);
    try {
      if (this.#isClosed) throw sandboxClosed();
      return await worker.run(request);
    } finally {
      this.#fresh.delete(worker);
      await worker.close();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(sandboxClosed());
    // One that is starting would be left behind else.
    await Promise.all([
      ...this.#places.map(({ starting }) => starting),
      ...this.#lanes.map((lane) => lane.add(() => Promise.resolve())),
      ...[...this.#fresh].map((worker) => worker.close()),
    ]);
    const workers = this.#places.flatMap(({ worker }) => (worker === null ? [] : [worker]));
    await Promise.all(workers.map((worker) => worker.close()));
  }

  /** @throws `sandbox-busy`, `sandbox-closed`, `aborted` */
  async run(request: WireRequest, signal?: AbortSignal): Promise<WorkerOutcome> {
    if (this.#isClosed) throw sandboxClosed();
    if (signal?.aborted === true) throw cancelled();
    if (this.#waiting.length + this.#freshOpen >= longestQueue)
      throw sandboxError(
        "sandbox-busy",
        `expected at most ${longestQueue} programs to wait, this is one more`,
        { hint: "run fewer programs at once", retryable: true },
      );
    const { promise, resolve, reject } = Promise.withResolvers<WorkerOutcome>();
    const waiting: Waiting = { request, ticket: this.#tickets++, resolve, reject, isOver: false };
    const onAbort = (): void => {
      waiting.isOver = true;
      const index = this.#waiting.indexOf(waiting);
      if (index >= 0) this.#waiting.splice(index, 1);
      // One that runs already goes on to its limit, and nobody hears of it.
      reject(cancelled());
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push(waiting);
    this.#pump();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #pump(): void {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const [first] = this.#waiting;
      const worker = first === undefined ? null : this.#idlest(first.request.hashSeed);
      if (first === undefined || worker === null || worker.openCount > 0) this.#fill();
      if (worker === null || first === undefined) break;
      this.#waiting.shift();
      void worker.run(first.request).then((outcome) => {
        this.#settle(first, outcome, worker.hasEnded);
        this.#pump();
      });
    }
  }

  #settle(waiting: Waiting, outcome: WorkerOutcome, hasEnded: boolean): void {
    if (this.#isClosed && outcome.kind !== "answered") waiting.reject(sandboxClosed());
    // The worker ended under one that stood before it: that one has had its turn, so this comes to an end.
    else if (outcome.kind === "never-ran" && hasEnded) this.#putBack(waiting);
    else waiting.resolve(outcome);
  }

  /** Where it stood in the line. */
  #putBack(waiting: Waiting): void {
    if (waiting.isOver) return;
    const index = this.#waiting.findIndex(({ ticket }) => ticket > waiting.ticket);
    this.#waiting.splice(index < 0 ? this.#waiting.length : index, 0, waiting);
  }

  /** The one with least to do; one that would have to change its image counts as busier. */
  #idlest(hashSeed: number): PythonWorker | null {
    let [best, least]: [PythonWorker | null, number] = [null, Number.POSITIVE_INFINITY];
    for (const { worker } of this.#places) {
      if (worker === null || worker.hasEnded || worker.openCount >= mostOpen) continue;
      const load = worker.openCount + (worker.hashSeed === hashSeed ? 0 : 2);
      if (load < least) [best, least] = [worker, load];
    }
    return best;
  }

  /** Starts what is missing. */
  #fill(): void {
    for (const place of this.#places) {
      if (place.starting === null && (place.worker === null || place.worker.hasEnded))
        place.starting = this.#start(place);
    }
  }

  async #start(place: Place): Promise<void> {
    try {
      const worker = await this.#backend.start();
      place.worker = worker;
      if (this.#isClosed) await worker.close();
    } catch (thrown) {
      const hasOthers = this.#places.some(({ worker }) => worker !== null && !worker.hasEnded);
      // Where no worker is left, they would wait for ever.
      if (!hasOthers)
        for (const { resolve } of this.#waiting.splice(0))
          resolve({ kind: "never-ran", message: messageOf(thrown) });
    } finally {
      place.starting = null;
    }
    this.#pump();
  }
}

function cancelled(): Error {
  return abortedError({ boundary: "verifier", what: "a Python program" });
}
