/** Models appear and go: `create_model` and `unload_model`. */
import { isSparError, type JsonObject } from "../../../base/index.ts";
import { anyAnswer, createdModelAnswer, optimizerAnswer } from "../wire/answers.ts";
import { jsonResult, type Connection } from "./connection.ts";
import { doWork } from "./unordered-work.ts";

export interface NewModelOptions {
  readonly baseModel: string;
  /** Left out where all weights are trained. */
  readonly lora?: { readonly rank: number; readonly seed?: number };
  /** What servers of ours take besides. */
  readonly extension?: JsonObject;
}

/** Makes a model that will be trained, without gradients, and gives its name on the server. */
export async function createModel(
  connection: Connection,
  options: NewModelOptions,
  signal: AbortSignal,
): Promise<string> {
  if (!connection.profile.keepsGradientsOfReleased) return createUntrained(connection, options, signal);
  // The next model gets the place that was freed last, so nothing may come between.
  return connection.creations.add(async () => {
    const first = await createUntrained(connection, options, signal);
    await dropGradients(connection, first, signal);
    await unloadModel(connection, first);
    return createUntrained(connection, options, signal);
  });
}

/** Makes a model that takes no gradients. */
export async function createUntrained(
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
  const what = `create_model of ${baseModel === "" ? "an architecture" : baseModel}`;
  // A model that was made twice costs room and nothing else.
  const repeats = { canRepeat: true, resubmits: true };
  const work = { path: "create_model", value, what, requestType: "CreateModel", ...repeats };
  return jsonResult(createdModelAnswer, await doWork(connection, work, signal), what);
}

/** A step of length zero, as the first request of a model. */
async function dropGradients(connection: Connection, modelId: string, signal: AbortSignal): Promise<void> {
  const what = `the first optim_step of ${modelId}`;
  const adam = { learning_rate: 0, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0 };
  const value = { model_id: modelId, seq_id: 1, adam_params: adam, type: "optim_step" };
  const repeats = { canRepeat: connection.profile.recognises.steps, resubmits: false };
  const work = { path: "optim_step", value, what, requestType: "OptimStep", ...repeats };
  jsonResult(optimizerAnswer, await doWork(connection, work, signal), what);
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
  const what = `unload_model of ${modelId}`;
  const value = { model_id: modelId, type: "unload_model" };
  const repeats = { canRepeat: true, resubmits: false };
  const work = { path: "unload_model", value, what, requestType: "UnloadModel", ...repeats };
  jsonResult(anyAnswer, await doWork(connection, work, connection.closing), what);
}
