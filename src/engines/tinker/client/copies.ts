/**
 * Weights that stay what they are, on servers that sample from the model that is trained: each save becomes a model of
 * its own, which is never trained. It takes a place on the server until it is deleted.
 */
import type { CallOptions } from "../../../base/index.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { Connection } from "./connection.ts";
import { createUntrained, unloadModel, type NewModelOptions } from "./new-model.ts";
import type { SaveOptions } from "./save-names.ts";
import type { TrainingModel } from "./training-model.ts";

/** Gives a path of the copy. `statePath` is a saved state, and not kept. `follow` speaks for a model that exists. */
export async function saveCopy(
  connection: Connection,
  copy: {
    readonly statePath: string;
    readonly model: NewModelOptions;
    readonly save: SaveOptions;
    readonly follow: (modelId: string) => TrainingModel;
  },
  call: CallOptions,
): Promise<string> {
  const { statePath, save } = copy;
  return connection.bounded(`the copy of ${statePath}`, call, async (signal) => {
    const modelId = await createUntrained(connection, copy.model, signal);
    try {
      const model = copy.follow(modelId);
      await model.loadFirst(statePath, false);
      const path = await model.saveInPlace(save, { signal });
      await new Checkpoints(connection).delete(statePath, { signal });
      return path;
    } catch (thrown) {
      await unloadModel(connection, modelId).catch(() => undefined);
      throw thrown;
    }
  });
}
