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
  async pass(modelId: string, pass: Pass): Promise<() => Promise<PassOutput>> {
    const { profile, config } = this.#connection;
    const isForwardOnly = pass.isForwardOnly === true;
    const what = nameOfPass(modelId, pass);
    const wait = await this.#send({
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
    return async () => readPassOutput(await wait(), what, pass.rows.length);
  }

  async json(modelId: string, request: ModelRequest): Promise<() => Promise<RawResult>> {
    return this.#send({
      ...request,
      isBinary: false,
      body: (number) => ({
        type: "json",
        value: { model_id: modelId, seq_id: number, ...request.body },
      }),
    });
  }

  /** What was sent is followed until the session ends, whoever still waits for it. */
  async #send(sent: Sent): Promise<() => Promise<RawResult>> {
    const signal = this.#connection.closing;
    const { path, canRepeat, what, requestType, isBinary, isHarmless } = sent;
    let submit = async (): Promise<string> => "";
    const requestId = await this.#calls.numbered(isHarmless, async (number) => {
      const body = sent.body(number);
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
    return async () => result;
  }
}

export function nameOfPass(modelId: string, pass: Pass): string {
  return `${pass.isForwardOnly === true ? "forward" : "forward_backward"} of ${modelId}`;
}
