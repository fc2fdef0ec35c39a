/** What a run needs of its engine, and which options contradict each other. */
import { architectureProblem, type Capability } from "spar/contract";
import type { GamesOptions } from "./options.ts";

export function needsOfGames(options: GamesOptions): readonly Capability[] {
  return [
    "full-finetune",
    "entropies",
    "one-pass-custom-loss",
    "optimizer:adam",
    ...(options.policyPerSeat || options.controls.length > 0 ? (["several-models"] as const) : []),
  ];
}

/** One message per problem. */
export function checkGames(options: GamesOptions): readonly string[] {
  const problems: string[] = [];
  const unbuildable = architectureProblem(options.architecture);
  if (unbuildable !== null) problems.push(`architecture: ${unbuildable}`);
  if (new Set(options.controls).size < options.controls.length)
    problems.push(`controls must name each control once, got ${options.controls.join(", ")}`);
  if (options.updatesPerRound > options.updateCount) {
    problems.push(
      `updatesPerRound = ${options.updatesPerRound} must not be above updateCount = ${options.updateCount}`,
    );
  }
  return problems;
}
