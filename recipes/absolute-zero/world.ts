/**
 * What a model and the method say to each other: prompts for six roles, and how replies are read. The method knows no
 * wording, and a wording knows no rewards.
 */
import type { Random } from "spar/base";
import type { Segment } from "spar/games";
import type { PromptRenderer, Tokenizer } from "spar/text";
import type { ParsedAnswer, ParsedProposal } from "./parsed.ts";
import type { Task, TaskType, Triplet } from "./tasks.ts";

export type TripletType = Exclude<TaskType, "induction">;

/** What a proposer is shown. */
export type Inspiration =
  | { readonly type: TripletType; readonly references: readonly Triplet[] }
  | { readonly type: "induction"; readonly program: string };

export interface Wording {
  readonly proposerPrompt: (inspiration: Inspiration) => readonly Segment[];
  readonly solverPrompt: (type: TaskType, task: Task) => readonly Segment[];
  /** Put at the start of every reply; empty for nothing. */
  readonly opening: string;
  readonly parseProposal: (type: TaskType, reply: string) => ParsedProposal;
  readonly parseAnswer: (type: TaskType, reply: string) => ParsedAnswer;
}

export interface World extends Wording {
  readonly tokenizer: Tokenizer;
  readonly renderer: PromptRenderer;
  /** Positions of the longest prompt and reply together. */
  readonly contextLength: number;
  /** Tasks that are kept for evaluation: nobody learns from them, and proposing them is no mistake. */
  readonly isHeldOut: (task: Task) => boolean;
  /** A valid proposal that no model made, as a reply. */
  readonly randomProposal: (inspiration: Inspiration, random: Random) => string;
}
