/**
 * Checks of what callers hand to an engine, the same on every engine and before any work starts.
 * Every refusal is `invalid-input` and names the row, what was expected and what came. Knows the
 * sizes of the model alone; whether an engine has a capability is the engine's own check.
 */
import type { SparError } from "../base/index.ts";
import { engineError } from "./errors.ts";
import { countPositions, type Chunk, type Datum } from "./inputs.ts";
import type { BuiltInLoss } from "./losses.ts";

export interface ModelSizes {
  readonly vocabularySize: number;
  /** @unit positions */
  readonly contextLength: number;
}

/**
 * Checks a batch of training rows, and that they carry what the loss reads.
 *
 * @throws `invalid-input`
 */
export function checkData(data: readonly Datum[], sizes: ModelSizes, loss?: BuiltInLoss): void {
  if (data.length === 0) throw invalidInput("expected at least one row, got an empty batch");
  if (loss !== undefined) checkLossSettings(loss);
  data.forEach((datum, row) => checkDatum(datum, { ...sizes, row, ...(loss === undefined ? {} : { loss }) }));
}

/**
 * Checks one training row.
 *
 * @throws `invalid-input`
 */
export function checkDatum(
  datum: Datum,
  options: ModelSizes & { readonly row?: number; readonly loss?: BuiltInLoss },
): void {
  const where = `row ${options.row ?? 0}`;
  checkChunks(datum.input, options, where);
  const positionCount = countPositions(datum.input);
  const arrays: readonly (readonly [string, ArrayLike<number> | undefined])[] = [
    ["targets", datum.targets],
    ["weights", datum.weights],
    ["advantages", datum.advantages],
    ["behaviorLogprobs", datum.behaviorLogprobs],
  ];
  for (const [name, values] of arrays) {
    if (values !== undefined) checkNumbers(values, positionCount, `${where}: ${name}`);
  }
  checkTargets(datum, options.vocabularySize, where);
  for (const [name, constant] of Object.entries(datum.constants ?? {})) {
    if (typeof constant !== "number") checkNumbers(constant, positionCount, `${where}: constant ${name}`);
    else if (!Number.isFinite(constant))
      throw invalidInput(`${where}: expected a finite constant ${name}, got ${constant}`);
  }
  if (options.loss !== undefined) checkLossInputs(datum, options.loss, where);
}

/**
 * Checks the chunks of one input: ids of the vocabulary, well-formed images, at least one position,
 * no more than the context holds.
 *
 * @throws `invalid-input`
 */
export function checkChunks(chunks: readonly Chunk[], sizes: ModelSizes, where = "input"): void {
  for (const chunk of chunks) {
    if (chunk.kind === "tokens") checkTokenIds(chunk.tokenIds, sizes.vocabularySize, where);
    else checkImage(chunk, where);
  }
  const positionCount = countPositions(chunks);
  if (positionCount === 0) throw invalidInput(`${where}: expected at least one position, got an empty input`);
  if (positionCount > sizes.contextLength) {
    throw invalidInput(
      `${where}: expected at most ${sizes.contextLength} positions (the context of the model), got ${positionCount}`,
      "cut the input, or use a model with a longer context",
    );
  }
}

/** @throws `invalid-input` for ids that are not in the vocabulary */
export function checkTokenIds(tokenIds: readonly number[], vocabularySize: number, where: string): void {
  for (const tokenId of tokenIds) {
    if (!Number.isInteger(tokenId) || tokenId < 0 || tokenId >= vocabularySize) {
      throw invalidInput(`${where}: expected token ids in 0 .. ${vocabularySize - 1}, got ${tokenId}`);
    }
  }
}

function checkImage(image: Extract<Chunk, { kind: "image" }>, where: string): void {
  const expected = image.widthPixels * image.heightPixels * image.channels;
  if (!Number.isInteger(expected) || expected <= 0 || image.pixels.length !== expected) {
    throw invalidInput(
      `${where}: expected an image of ${image.widthPixels} x ${image.heightPixels} x ${image.channels} = ${expected} values, got ${image.pixels.length}`,
    );
  }
  if (!Number.isInteger(image.positionCount) || image.positionCount <= 0) {
    throw invalidInput(
      `${where}: expected an image with a positive number of positions, got ${image.positionCount}`,
      "ask engine.imagePositions for the number",
    );
  }
}

/** Two arrays of one datum disagree in length, or hold what no loss can use. */
function checkNumbers(values: ArrayLike<number>, expectedLength: number, what: string): void {
  if (values.length !== expectedLength) {
    throw invalidInput(
      `${what}: expected ${expectedLength} values (one per position of the input), got ${values.length}`,
    );
  }
  for (let position = 0; position < values.length; position++) {
    if (!Number.isFinite(values[position])) {
      throw invalidInput(`${what}: expected finite numbers, got ${values[position]} at position ${position}`);
    }
  }
}

/** Target i is the id at input position i + 1: an image position there has target 0 and weight 0. */
function checkTargets(datum: Datum, vocabularySize: number, where: string): void {
  const isImage = datum.input.flatMap((chunk) =>
    Array.from<boolean>({ length: countPositions([chunk]) }).fill(chunk.kind === "image"),
  );
  for (let position = 0; position < datum.targets.length; position++) {
    const target = datum.targets[position] ?? 0;
    const weight = datum.weights[position] ?? 0;
    if (target < 0 || target >= vocabularySize) {
      throw invalidInput(
        `${where}: expected targets in 0 .. ${vocabularySize - 1}, got ${target} at position ${position}`,
      );
    }
    if (isImage[position + 1] === true && (target !== 0 || weight !== 0)) {
      throw invalidInput(
        `${where}: expected target 0 with weight 0 at position ${position}, which predicts an image, got target ${target} with weight ${weight}`,
      );
    }
  }
}

function checkLossInputs(datum: Datum, loss: BuiltInLoss, where: string): void {
  if (loss.kind === "crossEntropy") return;
  for (const name of ["advantages", "behaviorLogprobs"] as const) {
    if (datum[name] === undefined) throw invalidInput(`${where}: loss ${loss.kind} needs ${name}, got none`);
  }
}

/** @throws `invalid-input` for settings with which the loss has no meaning */
export function checkLossSettings(loss: BuiltInLoss): void {
  if (loss.kind === "ppo" || loss.kind === "cispo") {
    const isRange = loss.clipLow >= 0 && loss.clipHigh >= loss.clipLow && Number.isFinite(loss.clipHigh);
    if (!isRange) {
      throw invalidInput(
        `loss ${loss.kind}: expected 0 <= clipLow <= clipHigh, got ${loss.clipLow} and ${loss.clipHigh}`,
      );
    }
  }
  if (loss.kind === "dro" && !(Number.isFinite(loss.beta) && loss.beta >= 0)) {
    throw invalidInput(`loss dro: expected beta of at least 0, got ${loss.beta}`);
  }
}

function invalidInput(message: string, hint?: string): SparError {
  return engineError("invalid-input", message, hint === undefined ? {} : { hint });
}
