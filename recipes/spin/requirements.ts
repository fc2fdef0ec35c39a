/** What options of SPIN make sense together, what they need of an engine, and how many prompts they mean. */
import { createRandom } from "spar/base";
import type { Capability } from "spar/contract";
import { loadSplit } from "./examples.ts";
import type { SpinOptions } from "./options.ts";

/** What an engine must be able to do. */
export function needsOfSpin(options: SpinOptions): Capability[] {
  const needs: Capability[] = [
    options.loraRank === 0 ? "full-finetune" : "lora",
    `optimizer:${options.optimizer}`,
  ];
  if (options.warmUp.epochs > 0) needs.push("loss:crossEntropy", "optimizer:adamw");
  if (options.controls.length > 0) needs.push("loss:crossEntropy", "several-models");
  // A folder is the engine's to accept or refuse: it depends on what lies in it.
  if (options.baseModel !== "" && !/^\.{0,2}\//.test(options.baseModel)) needs.push("hub-models");
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
  if (options.baseModel === "" && options.architecture.width % options.architecture.headCount !== 0) {
    problems.push(
      `architecture.width = ${options.architecture.width} must be a multiple of architecture.headCount = ${options.architecture.headCount}`,
    );
  }
  return problems;
}

/** From the data where it lies here; from the options where it would have to be fetched. */
export async function promptCount(options: SpinOptions): Promise<number> {
  if (options.data.startsWith("hf://")) return options.exampleCount;
  return (await loadSplit(options, createRandom(0))).training.length;
}
