/**
 * A model on the server: passes, optimizer steps, saves and loads, in order and with numbers. It takes rows and losses
 * by their names on the wire; what the losses of the engine contract become is decided in `losses/`.
 */
import type { CallOptions, JsonObject } from "../../../base/index.ts";
import type { RawResult } from "../transport/futures.ts";
import {
  anyAnswer,
  modelInfoAnswer,
  optimizerAnswer,
  savedAnswer,
  type ModelInfo,
  type SavedAnswer,
} from "../wire/answers.ts";
import type { PassOutput } from "../wire/data.ts";
import { cutIntoChunks } from "./chunks.ts";
import { saveCopy } from "./copies.ts";
import { jsonResult, type Connection } from "./connection.ts";
import { createModel, unloadModel, type NewModelOptions } from "./new-model.ts";
import { leavesDoubt, OrderedCalls } from "./ordered-calls.ts";
import { combineOutputs } from "./pass-outputs.ts";
import { sendUntilTaken, type SaveOptions } from "./save-names.ts";
import { lossKey, nameOfPass, Submissions, type Pass, type Submitted } from "./submissions.ts";

/** Settings of an optimizer step, in the words of the wire. */
export interface StepSettings {
  /** `adam_params` for AdamW, `optimizer_params` for others. */
  readonly key: "adam_params" | "optimizer_params";
  readonly value: JsonObject;
}

type Metrics = Readonly<Record<string, number>>;

/** Makes a model. @throws what the server refuses */
export async function createTrainingModel(
  connection: Connection,
  options: NewModelOptions,
  call: CallOptions = {},
): Promise<TrainingModel> {
  const modelId = await connection.bounded("create_model", call, (signal) =>
    createModel(connection, options, signal),
  );
  return new TrainingModel(connection, options, modelId);
}

export class TrainingModel {
  readonly #connection: Connection;
  readonly #options: NewModelOptions;
  readonly #calls: OrderedCalls;
  readonly #submissions: Submissions;
  #modelId: string;
  #lossUnderWay: { readonly key: string; readonly end: Promise<unknown> } | null = null;
  #saveCount = 0;

  constructor(connection: Connection, options: NewModelOptions, modelId: string) {
    this.#connection = connection;
    this.#options = options;
    this.#modelId = modelId;
    this.#calls = new OrderedCalls(connection);
    this.#submissions = new Submissions(connection, this.#calls);
  }

  /** The server's name of it; another one after a state was loaded, where that makes a new model. */
  get modelId(): string {
    return this.#modelId;
  }

  /** The order of its calls, for calls that are made of several requests. */
  get calls(): OrderedCalls {
    return this.#calls;
  }

  async info(call: CallOptions = {}): Promise<ModelInfo> {
    return this.#connection.bounded("get_info", call, (signal) =>
      this.#connection.ask(modelInfoAnswer, {
        method: "POST",
        path: "get_info",
        body: { type: "json", value: { model_id: this.#modelId, type: "get_info" } },
        signal,
        canRepeat: true,
      }),
    );
  }

  /** A forward pass, or one that adds gradients. Outputs come in the order of the rows. */
  async pass(pass: Pass, call: CallOptions = {}): Promise<PassOutput> {
    return this.#calls.run(nameOfPass(this.#modelId, pass), call, () => this.submitPass(pass));
  }

  /** Applies and drops the gradients. Gives the server's metrics. */
  async optimStep(settings: StepSettings, call: CallOptions = {}): Promise<Metrics> {
    return this.#calls.run(`optim_step of ${this.#modelId}`, call, () => this.submitStep(settings));
  }

  /** Saves weights and optimizer; the path is what `load` takes. */
  async saveState(options: SaveOptions = {}, call: CallOptions = {}): Promise<string> {
    return (await this.#save("save_weights", "SaveWeights", options, call)).path;
  }

  /** Saves weights that can be sampled from, and stay what they are. */
  async saveForSampler(options: SaveOptions = {}, call: CallOptions = {}): Promise<string> {
    if (this.#connection.profile.versions !== "copies") return this.saveInPlace(options, call);
    const statePath = await this.saveState({}, call);
    const follow = (modelId: string): TrainingModel =>
      new TrainingModel(this.#connection, this.#options, modelId);
    return saveCopy(this.#connection, { statePath, model: this.#options, save: options, follow }, call);
  }

  /** Saves weights that can be sampled from until the server has later ones. */
  async saveInPlace(options: SaveOptions, call: CallOptions): Promise<string> {
    return (await this.#save("save_weights_for_sampler", "SaveWeightsForSampler", options, call)).path;
  }

  /** Writes weights, merged, in the hub's formats: into a folder of a machine that both share, or the server's own. */
  async exportTo(folder: string | null, call: CallOptions = {}): Promise<SavedAnswer> {
    const options = folder === null ? {} : { folder };
    return this.#save("save_weights_external", "SaveWeights", options, call);
  }

  /**
   * Continues from a saved state; gradients are dropped, and what was in doubt is past. `onDone` is called before the
   * next call is sent.
   */
  async load(
    path: string,
    includeOptimizer: boolean,
    call: CallOptions = {},
    onDone?: () => void,
  ): Promise<void> {
    const submit = async (signal: AbortSignal): Promise<() => Promise<void>> => {
      const isHere = this.#connection.profile.loadsAnyTime && this.#calls.isCertain;
      await (isHere
        ? this.loadFirst(path, includeOptimizer)
        : this.#loadAnew(path, includeOptimizer, signal));
      onDone?.();
      return async () => undefined;
    };
    await this.#calls.run(`load_weights of ${this.#modelId}`, call, submit, { runsInDoubt: true });
  }

  /** Drops accumulated gradients, on servers of ours. `onSent` is called before the next call is sent. */
  async discardGradients(call: CallOptions = {}, onSent?: () => void): Promise<void> {
    const what = `discard_gradients of ${this.#modelId}`;
    await this.#calls.run(what, call, async () => {
      const wait = await this.#submissions.json(this.#modelId, {
        path: "spar/discard_gradients",
        requestType: "DiscardGradients",
        what,
        body: {},
        canRepeat: true,
        isHarmless: false,
      });
      onSent?.();
      return async () => void (await this.#followed(wait));
    });
  }

  /** Frees it on the server, where the server can; in its turn. */
  async unload(call: CallOptions = {}): Promise<void> {
    const submit = async (): Promise<() => Promise<void>> => {
      await unloadModel(this.#connection, this.#modelId);
      return async () => undefined;
    };
    await this.#calls.run(`unload_model of ${this.#modelId}`, call, submit, { runsInDoubt: true });
  }

  /** Sends a pass when it is the model's turn; for calls that are made of several requests. */
  async submitPass(pass: Pass): Promise<() => Promise<PassOutput>> {
    await this.#letOtherLossesEnd(pass);
    const waits: (() => Promise<PassOutput>)[] = [];
    for (const rows of cutIntoChunks(pass.rows, this.#connection.config)) {
      try {
        waits.push((await this.#submissions.pass(this.#modelId, { ...pass, rows })).wait);
      } catch (thrown) {
        // The chunks before it add their part: the sum is no longer the one that was asked for.
        if (waits.length > 0 && pass.isForwardOnly !== true) this.#calls.putInDoubt(thrown);
        throw thrown;
      }
    }
    const end = Promise.allSettled(waits.map((wait) => wait()));
    this.#lossUnderWay = { key: lossKey(pass), end };
    return async () => this.#combine(pass, await end);
  }

  /** Sends a pass that must be one request, since another one will name its number; null where it is too large. */
  async submitSingle(pass: Pass): Promise<Submitted<PassOutput> | null> {
    if (cutIntoChunks(pass.rows, this.#connection.config).length > 1) return null;
    return this.#submissions.pass(this.#modelId, pass);
  }

  /** Sends a step when it is the model's turn. */
  async submitStep({ key, value }: StepSettings): Promise<() => Promise<Metrics>> {
    const what = `optim_step of ${this.#modelId}`;
    const wait = await this.#submissions.json(this.#modelId, {
      path: "optim_step",
      requestType: "OptimStep",
      what,
      body: { [key]: value, type: "optim_step" },
      canRepeat: this.#connection.profile.recognises.steps,
      isHarmless: false,
    });
    return async () => jsonResult(optimizerAnswer, await this.#followed(wait), what).metrics;
  }

  /** Where the server merges passes that wait together, one of another loss waits until those are done. */
  async #letOtherLossesEnd(pass: Pass): Promise<void> {
    if (!this.#connection.profile.mergesLosses || this.#lossUnderWay === null) return;
    if (this.#lossUnderWay.key !== lossKey(pass)) await this.#lossUnderWay.end;
  }

  #combine(pass: Pass, settled: readonly PromiseSettledResult<PassOutput>[]): PassOutput {
    const outputs = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const failed = settled.find((one) => one.status === "rejected");
    if (failed === undefined) return combineOutputs(outputs);
    const isPartial = outputs.length > 0 || leavesDoubt(failed.reason);
    if (pass.isForwardOnly !== true && isPartial) this.#calls.putInDoubt(failed.reason);
    throw failed.reason;
  }

  /** A result that is lost leaves the model in doubt. */
  async #followed(wait: () => Promise<RawResult>): Promise<RawResult> {
    try {
      return await wait();
    } catch (thrown) {
      if (leavesDoubt(thrown)) this.#calls.putInDoubt(thrown);
      throw thrown;
    }
  }

  async #save(
    path: string,
    requestType: string,
    options: SaveOptions,
    call: CallOptions,
  ): Promise<SavedAnswer> {
    const what = `${path} of ${this.#modelId}`;
    const { recognises } = this.#connection.profile;
    const { folder, timeToLiveSeconds: ttl } = options;
    const spar = {
      ...(path === "save_weights_external" ? { format: "merged" } : {}),
      ...(folder === undefined ? {} : { folder }),
    };
    const send = (name: string): Promise<() => Promise<RawResult>> =>
      this.#submissions.json(this.#modelId, {
        path,
        requestType,
        what,
        body: {
          path: name,
          ...(ttl === undefined ? {} : { ttl_seconds: ttl }),
          ...(Object.keys(spar).length === 0 ? {} : { spar }),
          type: path,
        },
        canRepeat: recognises.saves,
        isHarmless: true,
      });
    return this.#calls.run(what, call, async (signal) => {
      const name =
        options.name ?? `save-${this.#connection.sessionId.replaceAll(/\W/gu, "-")}-${this.#saveCount++}`;
      const wait = await sendUntilTaken(name, send, signal);
      options.onSent?.();
      return async () => jsonResult(savedAnswer, await wait(), what);
    });
  }

  /** Loads into the server's model as it is: where states cannot be loaded at any time, as its first request. */
  async loadFirst(path: string, includeOptimizer: boolean): Promise<void> {
    const what = `load_weights of ${this.#modelId}`;
    const wait = await this.#submissions.json(this.#modelId, {
      path: "load_weights",
      requestType: "LoadWeights",
      what,
      body: { path, optimizer: includeOptimizer, type: "load_weights" },
      canRepeat: this.#connection.profile.recognises.saves,
      isHarmless: false,
    });
    jsonResult(anyAnswer, await this.#followed(wait), what);
  }

  /** A new model with the state takes the place of this one, which is freed when the other is there. */
  async #loadAnew(path: string, includeOptimizer: boolean, signal: AbortSignal): Promise<void> {
    const old = this.#modelId;
    const modelId = await createModel(this.#connection, this.#options, signal);
    const successor = new TrainingModel(this.#connection, this.#options, modelId);
    try {
      await successor.loadFirst(path, includeOptimizer);
    } catch (thrown) {
      await unloadModel(this.#connection, modelId).catch(() => undefined);
      throw thrown;
    }
    this.#modelId = modelId;
    this.#calls.continueFrom(successor.#calls);
    this.#lossUnderWay = null;
    await unloadModel(this.#connection, old).catch(() => undefined);
  }
}
