/** What options of SPIN make sense together, what they need of an engine, and how many prompts they mean. */
import { existsSync } from "node:fs";
import { messageOf, type Random } from "spar/base";
import { architectureProblem, type Capability } from "spar/contract";
import { parseHubAddress, readPairs } from "spar/data";
import { loadTokenizerFolder } from "spar/text";
import { readBaseModelSizes } from "./base-model.ts";
import { dataRandom, loadSplit } from "./examples.ts";
import type { SpinOptions } from "./options.ts";
import { isFolderName, isRemote, tokenizerFolderOf } from "./sources.ts";
import type { SpinCounts } from "./work.ts";

/** What an engine must be able to do. */
export function needsOfSpin(options: SpinOptions): Capability[] {
  const needs: Capability[] = [
    options.loraRank === 0 ? "full-finetune" : "lora",
    `optimizer:${options.optimizer}`,
    // Held-out references are scored by the version that is evaluated.
    "prompt-logprobs",
  ];
  if (options.warmUp.epochs > 0) needs.push("loss:crossEntropy", "optimizer:adamw");
  if (options.controls.length > 0) needs.push("loss:crossEntropy", "several-models");
  // A folder is the engine's to accept or refuse: it depends on what lies in it.
  const isOfHub =
    options.baseModel !== "" && options.tokenizerFolder === "" && !isFolderName(options.baseModel);
  if (isOfHub) needs.push("hub-models");
  return needs;
}

/** One message per contradiction. */
export function checkSpin(options: SpinOptions): string[] {
  const problems: string[] = [];
  if (options.maxPromptTokens >= options.maxSequenceTokens) {
    problems.push(
      `maxPromptTokens must leave room for an answer: below maxSequenceTokens = ${options.maxSequenceTokens}, got ${options.maxPromptTokens}`,
    );
  }
  if (options.scheduleEpochs !== 0 && options.scheduleEpochs < options.epochsPerIteration) {
    problems.push(
      `scheduleEpochs must be 0 or at least epochsPerIteration = ${options.epochsPerIteration}, got ${options.scheduleEpochs}`,
    );
  }
  if (options.baseModel === "" && options.template !== "plain") {
    problems.push(
      `template ${options.template} needs a baseModel; a model from scratch reads prompts as they are: set template=plain`,
    );
  }
  const unbuildable = options.baseModel === "" ? architectureProblem(options.architecture) : null;
  if (unbuildable !== null) problems.push(`architecture: ${unbuildable}`);
  if (new Set(options.controls).size < options.controls.length)
    problems.push(`controls must name each control once, got ${options.controls.join(", ")}`);
  problems.push(...sourceProblems(options));
  return problems;
}

/** What can be said of the names of data before anything is opened. */
function sourceProblems({ data, firstPairs }: SpinOptions): string[] {
  const problems: string[] = [];
  if (data === "") problems.push("data must name where prompts come from, got an empty text");
  for (const [name, source] of Object.entries({ data, firstPairs })) {
    if (!isRemote(source)) continue;
    try {
      parseHubAddress(source);
    } catch (thrown) {
      problems.push(`${name}: ${messageOf(thrown)}`);
    }
  }
  return problems;
}

/**
 * Files and folders are opened and looked into where they lie here, so that nothing starts that cannot
 * end; then prompts and pairs are counted: from the data where they lie here, from the options where they
 * would have to be fetched. `random` is that of the run, so that it is the run's own split that is counted.
 *
 * @throws what readers and tokenizers throw
 */
export async function countData(options: SpinOptions, random: Random): Promise<SpinCounts> {
  const { data, firstPairs, baseModel, exampleCount } = options;
  const tokenizerFolder = tokenizerFolderOf(options);
  // A folder that is not there is told as a missing input.
  if (isFolderName(tokenizerFolder) && existsSync(tokenizerFolder))
    await loadTokenizerFolder(tokenizerFolder);
  const sizes = isFolderName(baseModel) ? await readBaseModelSizes(baseModel) : null;
  const isGiven = firstPairs !== "" && !isRemote(firstPairs);
  const firstPairCount = isGiven ? (await Array.fromAsync(readPairs(firstPairs))).length : null;
  const known = { firstPairCount, baseModel: sizes };
  if (isRemote(data)) return { promptCount: exampleCount === 0 ? null : exampleCount, ...known };
  const { training } = await loadSplit(options, dataRandom(random));
  return { promptCount: training.length, ...known };
}
