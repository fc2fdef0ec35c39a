/** Work that stands in no model's order of calls: sent, and followed to its result. */
import type { JsonObject } from "../../../base/index.ts";
import { futureAnswer } from "../wire/answers.ts";
import type { RawResult } from "../transport/futures.ts";
import type { Connection } from "./connection.ts";

export interface UnorderedWork {
  readonly path: string;
  readonly value: JsonObject;
  /** For people: `create_model of tiny`. */
  readonly what: string;
  /** As the wire calls it when the result is asked for. */
  readonly requestType: string;
  /** Whether a request whose answer was lost may be sent again. */
  readonly canRepeat: boolean;
  /** Whether work that the server has forgotten is asked for anew. */
  readonly resubmits: boolean;
  readonly isBinary?: boolean;
}

/** What went wrong leaves no doubt about any model. */
export async function doWork(
  connection: Connection,
  work: UnorderedWork,
  signal: AbortSignal,
): Promise<RawResult> {
  const { path, value, what, requestType, canRepeat, resubmits, isBinary = false } = work;
  const submit = async (): Promise<string> =>
    connection.ask(futureAnswer, { method: "POST", path, body: { type: "json", value }, signal, canRepeat });
  return connection.result({
    requestId: await submit(),
    what,
    requestType,
    isBinary,
    isHarmless: true,
    ...(resubmits ? { resubmit: submit } : {}),
    signal,
  });
}
