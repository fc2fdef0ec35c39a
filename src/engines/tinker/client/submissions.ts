/** Requests of one model, as they are sent: with its name and numbers, repeated where the server recognises that. */
import type { JsonObject } from "../../../base/index.ts";
import type { RawResult } from "../transport/futures.ts";
import type { HttpBody } from "../transport/http.ts";
import { futureAnswer } from "../wire/answers.ts";
import type { PassOutput, WireRow } from "../wire/data.ts";
import { encodePass, passJson } from "../wire/pass-request.ts";
import type { Connection } from "./connection.ts";
import type { OrderedCalls } from "./ordered-calls.ts";
import { readPassOutput } from "./pass-outputs.ts";

/** A pass by the names of the wire. */
export interface Pass {
  readonly rows: readonly WireRow[];
  readonly lossName: string;
  readonly settings?: Readonly<Record<string, number>>;
  readonly isForwardOnly?: boolean;
  /** False where the answer has no rows: gradients by outputs that the server gave before. Default true. */
  readonly hasOutputs?: boolean;
}

/** A request that was sent, with its number; `wait` gives its result. */
export interface Submitted<T> {
  readonly number: number;
  readonly wait: () => Promise<T>;
}

export interface ModelRequest {
  readonly path: string;
  readonly requestType: string;
  readonly what: string;
  readonly body: JsonObject;
  /** Whether the server recognises it when it comes again. */
  readonly canRepeat: boolean;
  /** Whether it changes nothing of the model. */
  readonly isHarmless: boolean;
}

interface Sent {
  readonly path: string;
  readonly requestType: string;
  readonly what: string;
  readonly isBinary: boolean;
  readonly canRepeat: boolean;
  readonly isHarmless: boolean;
  body(number: number): HttpBody;
}

export class Submissions {
  readonly #connection: Connection;
  readonly #calls: OrderedCalls;

  constructor(connection: Connection, calls: OrderedCalls) {
    this.#connection = connection;
    this.#calls = calls;
  }

  /** Sends rows that fit into one request. */
  async pass(modelId: string, pass: Pass): Promise<Submitted<PassOutput>> {
    const { profile, config } = this.#connection;
    const isForwardOnly = pass.isForwardOnly === true;
    const what = nameOfPass(modelId, pass);
    const { number, wait } = await this.#send({
      path: isForwardOnly && !profile.takesProtobuf ? "forward" : "forward_backward",
      requestType: isForwardOnly ? "Forward" : "ForwardBackward",
      what,
      isBinary: true,
      canRepeat: isForwardOnly || profile.recognises.passes,
      isHarmless: isForwardOnly,
      body: (sequenceNumber) => {
        const { rows, lossName, settings = {} } = pass;
        const request = { modelId, sequenceNumber, rows, lossName, settings, isForwardOnly };
        return profile.takesProtobuf
          ? { type: "protobuf", bytes: encodePass(request), isCompressed: config.compresses }
          : { type: "json", value: passJson(request) };
      },
    });
    const rowCount = pass.hasOutputs === false ? 0 : pass.rows.length;
    return { number, wait: async () => readPassOutput(await wait(), what, rowCount) };
  }

  async json(modelId: string, request: ModelRequest): Promise<() => Promise<RawResult>> {
    const { wait } = await this.#send({
      ...request,
      isBinary: false,
      body: (number) => ({
        type: "json",
        value: { model_id: modelId, seq_id: number, ...request.body },
      }),
    });
    return wait;
  }

  /** What was sent is followed until the session ends, whoever still waits for it. */
  async #send(sent: Sent): Promise<Submitted<RawResult>> {
    const signal = this.#connection.closing;
    const { path, canRepeat, what, requestType, isBinary, isHarmless } = sent;
    let submit = async (): Promise<string> => "";
    let number = 0;
    const requestId = await this.#calls.numbered({ canRepeat, isHarmless }, async (next) => {
      number = next;
      const body = sent.body(next);
      submit = async () =>
        this.#connection.ask(futureAnswer, { method: "POST", path, body, signal, canRepeat });
      return submit();
    });
    const result = this.#connection.result({
      requestId,
      what,
      requestType,
      isBinary,
      isHarmless,
      ...(canRepeat ? { resubmit: submit } : {}),
      signal,
    });
    result.catch(() => undefined);
    return { number, wait: async () => result };
  }
}

export function nameOfPass(modelId: string, pass: Pass): string {
  return `${pass.isForwardOnly === true ? "forward" : "forward_backward"} of ${modelId}`;
}

/** Equal for passes that a server may carry out as one. */
export function lossKey(pass: Pass): string {
  const settings = Object.entries(pass.settings ?? {}).map(([name, value]) => `${name}=${value}`);
  return [pass.lossName, String(pass.isForwardOnly === true), ...settings.toSorted()].join(" ");
}
