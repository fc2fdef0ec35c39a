/**
 * The order of calls on one model. Requests are sent one after another, each when the server has taken the one before,
 * with rising numbers; results are waited for side by side. A request that was sent is followed to its end even if its
 * caller has gone, since its number cannot be taken back. Knows nothing of what is asked for.
 */
import { isSparError, SerialQueue, throwIfAborted, type CallOptions } from "../../../base/index.ts";
import { answerLost } from "../errors.ts";
import type { Connection } from "./connection.ts";

/** Sends what belongs to a call; what is returned waits for the results. */
export type Submission<T> = (signal: AbortSignal) => Promise<() => Promise<T>>;

export class OrderedCalls {
  readonly #connection: Connection;
  readonly #queue = new SerialQueue();
  #nextNumber = 1;
  #doubt: Error | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Takes over the numbers of a model that takes the place of this one; what was in doubt is past. */
  continueFrom(successor: OrderedCalls): void {
    this.#nextNumber = successor.#nextNumber;
    this.#doubt = null;
  }

  /** From now on calls fail: the state on the server is not known, or not what was asked for. */
  putInDoubt(thrown: unknown): void {
    this.#doubt ??= thrown instanceof Error ? thrown : new Error(String(thrown));
  }

  /** Whether the state on the server is known. */
  get isCertain(): boolean {
    return this.#doubt === null;
  }

  /**
   * Runs a call in its turn.
   *
   * @throws `answer-lost` when an earlier call left the model in doubt, until a state is loaded
   */
  async run<T>(
    what: string,
    call: CallOptions,
    submit: Submission<T>,
    options: { readonly runsInDoubt?: boolean } = {},
  ): Promise<T> {
    return this.#connection.bounded(what, call, async (signal) => {
      const wait = await this.#queue.add(async () => {
        throwIfAborted(signal, { boundary: "engine", what });
        this.#connection.checkOpen();
        if (this.#doubt !== null && options.runsInDoubt !== true) throw answerLost(what, this.#doubt);
        return submit(signal);
      });
      return wait();
    });
  }

  /**
   * Sends one request with the model's next number. The number is used up once the server may have seen it; after a
   * refusal, and where nothing was sent, it is free again. A used one leaves the model in doubt: for what it may have
   * done, and, on servers that recognise a number when it comes again, because one that never came holds back all that
   * come later.
   */
  async numbered(
    { canRepeat, isHarmless }: { readonly canRepeat: boolean; readonly isHarmless: boolean },
    send: (number: number) => Promise<string>,
  ): Promise<string> {
    const number = this.#nextNumber;
    try {
      const requestId = await send(number);
      this.#nextNumber = number + 1;
      return requestId;
    } catch (thrown) {
      if (leavesDoubt(thrown)) {
        this.#nextNumber = number + 1;
        if (canRepeat || !isHarmless) this.putInDoubt(thrown);
      }
      throw thrown;
    }
  }
}

/** Whether after this failure the server may have carried out the request. */
export function leavesDoubt(thrown: unknown): boolean {
  if (!isSparError(thrown)) return true;
  const { code, facts } = thrown;
  if (typeof facts["mayHaveArrived"] === "boolean") return facts["mayHaveArrived"];
  return code === "answer-lost" || code === "server-unreachable" || code === "unexpected-answer";
}
