/** What a run needs of its engine, and which options contradict each other. */
import { architectureProblem, type Capability } from "spar/contract";
import type { AbsoluteZeroOptions } from "./options.ts";

export function needsOfAbsoluteZero(options: AbsoluteZeroOptions): readonly Capability[] {
  const { loraRank, optimizer, entropy, controls, world } = options;
  const needs: Capability[] = [loraRank === 0 ? "full-finetune" : "lora", `optimizer:${optimizer}`];
  if (entropy.estimate === "exact") needs.push("entropies", "one-pass-custom-loss");
  if (controls.length > 0) needs.push("several-models");
  if (world === "lists") needs.push("loss:crossEntropy", "optimizer:adamw");
  return needs;
}

/** One message per problem. */
export function checkAbsoluteZero(options: AbsoluteZeroOptions): readonly string[] {
  const { world, baseModel, template, maxContentTokens, maxPromptTokens, taskTypes, controls } = options;
  const problems: string[] = [];
  if (maxContentTokens > maxPromptTokens) {
    problems.push(
      `maxContentTokens = ${maxContentTokens} must not be above maxPromptTokens = ${maxPromptTokens}: what is drawn would not fit its prompt`,
    );
  }
  if (world === "lists" && baseModel !== "")
    problems.push("world lists is for a model from scratch: leave baseModel empty, or set world=python");
  if (world === "python" && baseModel === "")
    problems.push("world python needs a baseModel: a folder (./name) or a name that the engine knows");
  if (world === "lists" && template !== "plain")
    problems.push("world lists has prompts of its own: set template=plain");
  if (world === "python" && controls.length > 0)
    problems.push("controls are measured on held-out lists: set controls=[] with world=python");
  if (new Set(controls).size < controls.length)
    problems.push(`controls must name each control once, got ${controls.join(", ")}`);
  if (new Set(taskTypes).size < taskTypes.length)
    problems.push(`taskTypes must name each type once, got ${taskTypes.join(", ")}`);
  if (taskTypes.length === 1 && taskTypes[0] === "induction")
    problems.push(
      "taskTypes: induction needs the programs that deduction or abduction propose, so one of them as well",
    );
  if (options.stepsPerRound > options.stepCount)
    problems.push(
      `stepsPerRound = ${options.stepsPerRound} must not be above stepCount = ${options.stepCount}`,
    );
  const unbuildable = baseModel === "" ? architectureProblem(options.architecture) : null;
  if (unbuildable !== null) problems.push(`architecture: ${unbuildable}`);
  return problems;
}
