/** What every way of measuring is given, and how a place of the tree becomes the ids that the policy sees. */
import type { Engine } from "spar/contract";
import type { DecisionNode } from "spar/games";
import type { Step } from "spar/train";
import type { SeatVersions } from "./opponents.ts";
import type { World } from "./worlds.ts";

/** By the names that the world lists. */
export type Figures = { readonly [name: string]: number };

export interface Measuring {
  readonly engine: Engine;
  readonly step: Step;
  readonly world: World;
  readonly versions: SeatVersions;
}

/** What the policy had in front of it when it was asked here: one token per symbol, so words tell all. */
export function promptIds(
  { tokenizer }: World,
  { context, prompt }: Pick<DecisionNode, "context" | "prompt">,
): readonly number[] {
  const words = [...context, ...prompt].map((segment) => (segment.kind === "text" ? segment.text : ""));
  return tokenizer.encode(words.join(""));
}
