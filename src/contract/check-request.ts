/**
 * Checks of sampling requests and optimizer settings, the same on every engine and before any work
 * starts. Every refusal is `invalid-input`.
 */
import { checkChunks, checkTokenIds, type ModelSizes } from "./check-input.ts";
import { engineError } from "./errors.ts";
import type { OptimizerParameters } from "./optimizers.ts";
import type { SampleRequest } from "./sampling.ts";

/**
 * Checks a request for samples. A prompt may fill the context; sampling then ends with `length`.
 *
 * @throws `invalid-input`
 */
export function checkSampleRequest(request: SampleRequest, sizes: ModelSizes): void {
  const { parameters } = request;
  checkChunks(request.prompt, sizes, "prompt");
  expectNumber("count", request.count ?? 1, isPositiveInteger, "a positive integer");
  expectNumber("maxTokens", parameters.maxTokens, isPositiveInteger, "a positive integer");
  expectNumber(
    "temperature",
    parameters.temperature ?? 1,
    (value) => Number.isFinite(value) && value >= 0,
    "a number of at least 0",
  );
  expectNumber(
    "topP",
    parameters.topP ?? 1,
    (value) => value > 0 && value <= 1,
    "a number above 0 and at most 1",
  );
  expectNumber(
    "topK",
    parameters.topK ?? 0,
    (value) => value === 0 || isPositiveInteger(value),
    "an integer of at least 0",
  );
  expectNumber("seed", parameters.seed, Number.isSafeInteger, "an integer");
  checkTokenIds(parameters.stopTokenIds ?? [], sizes.vocabularySize, "stopTokenIds");
}

/**
 * Checks the settings of an optimizer step.
 *
 * @throws `invalid-input`
 */
export function checkOptimizerParameters(parameters: OptimizerParameters): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (name === "kind" || value === undefined) continue;
    expectNumber(
      `${parameters.kind} ${name}`,
      Number(value),
      isFiniteAndNotNegative,
      "a finite number of at least 0",
    );
    if (name === "beta1" || name === "beta2" || name === "alpha" || name === "momentum") {
      expectNumber(`${parameters.kind} ${name}`, Number(value), (decay) => decay < 1, "a number below 1");
    }
  }
}

function expectNumber(
  name: string,
  value: number,
  isValid: (value: number) => boolean,
  expected: string,
): void {
  if (!isValid(value)) throw engineError("invalid-input", `${name}: expected ${expected}, got ${value}`);
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function isFiniteAndNotNegative(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}
