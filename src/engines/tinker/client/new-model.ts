/** Models appear and go: `create_model` and `unload_model`. */
import { isSparError, type JsonObject } from "../../../base/index.ts";
import { anyAnswer, createdModelAnswer, futureAnswer } from "../wire/answers.ts";
import { jsonResult, type Connection } from "./connection.ts";

export interface NewModelOptions {
  readonly baseModel: string;
  /** Left out where all weights are trained. */
  readonly lora?: { readonly rank: number; readonly seed?: number };
  /** What servers of ours take besides. */
  readonly extension?: JsonObject;
}

/** Makes a model on the server and gives its name there. */
export async function createModel(
  connection: Connection,
  options: NewModelOptions,
  signal: AbortSignal,
): Promise<string> {
  const { baseModel, lora, extension } = options;
  const value: JsonObject = {
    session_id: connection.sessionId,
    model_seq_id: connection.nextModelNumber(),
    base_model: baseModel,
    ...(lora === undefined ? {} : { lora_config: { ...lora } }),
    ...(extension === undefined ? {} : { spar: extension }),
    type: "create_model",
  };
  // A model that was made twice costs room and nothing else.
  const submit = async (): Promise<string> =>
    connection.ask(futureAnswer, {
      method: "POST",
      path: "create_model",
      body: { type: "json", value },
      signal,
      canRepeat: true,
    });
  const what = `create_model of ${baseModel === "" ? "an architecture" : baseModel}`;
  const result = await connection.result({
    requestId: await submit(),
    what,
    requestType: "CreateModel",
    isBinary: false,
    isHarmless: true,
    resubmit: submit,
    signal,
  });
  return jsonResult(createdModelAnswer, result, what);
}

/** Frees a model where the server can. One that is not there any more is what was wanted. */
export async function unloadModel(connection: Connection, modelId: string): Promise<void> {
  if (!connection.profile.unloadsModels) return;
  try {
    await unload(connection, modelId);
  } catch (thrown) {
    const status = isSparError(thrown) ? thrown.facts["status"] : undefined;
    if (status !== 404 && status !== 410) throw thrown;
  }
}

async function unload(connection: Connection, modelId: string): Promise<void> {
  const signal = connection.closing;
  const what = `unload_model of ${modelId}`;
  const requestId = await connection.ask(futureAnswer, {
    method: "POST",
    path: "unload_model",
    body: { type: "json", value: { model_id: modelId, type: "unload_model" } },
    signal,
    canRepeat: true,
  });
  const result = await connection.result({
    requestId,
    what,
    requestType: "UnloadModel",
    isBinary: false,
    isHarmless: true,
    signal,
  });
  jsonResult(anyAnswer, result, what);
}
