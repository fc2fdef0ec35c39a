/**
 * What a recipe is: a method as one readable async function, its typed options, its presets and a
 * plan that can be printed before anything starts. Recipes are found by folder; nothing lists them.
 */
import type { z } from "zod";
import type { Capability } from "../contract/index.ts";
import type { JsonValue, Random } from "../base/index.ts";
import type { PromptRenderer, Tokenizer } from "../text/index.ts";
import type { Run } from "./run.ts";

/** Options of a recipe: a strict object schema with a default for every key. */
export type OptionsSchema = z.ZodObject;

export interface Preset<Options> {
  /** One line for `spar list`. */
  readonly summary: string;
  readonly options: { readonly [Key in keyof Options]?: Options[Key] };
  /** The engine that runs it where none is named. */
  readonly engine: string;
  /** Where it differs from the paper, one line each; printed by `spar plan`. */
  readonly departures?: readonly string[];
}

/** A line of a plan: a quantity with its unit. */
export interface PlanLine {
  readonly name: string;
  readonly value: string | number;
  readonly unit?: string;
}

export interface Plan {
  readonly lines: readonly PlanLine[];
  /** Durable steps in order, or a summary of them where there are many. */
  readonly steps: readonly string[];
  /** Highest memory that the engine will need, where it can be told. */
  readonly memoryBytes: number | null;
  /** Disk that checkpoints and records will take, where it can be told. */
  readonly diskBytes: number | null;
  /** Files or data sets that the run reads; `spar plan` says which are missing. */
  readonly inputs: readonly string[];
  /** How to get an input where it is missing, by its name. */
  readonly inputHints?: Readonly<Record<string, string>>;
}

export interface Recipe<Schema extends OptionsSchema = OptionsSchema> {
  readonly id: string;
  readonly title: string;
  /** Identifier of the paper with version: `arXiv:2401.01335v3`; null for teaching recipes. */
  readonly paper: string | null;
  readonly summary: string;
  /** Raised when a change makes an old run impossible to resume. */
  readonly version: number;
  readonly options: Schema;
  readonly presets: Readonly<Record<string, Preset<z.output<Schema>>>>;
  /** Checks that span several options; one message per problem, empty where all is well. */
  check?(options: z.output<Schema>): readonly string[];
  needs(options: z.output<Schema>): readonly Capability[];
  /**
   * May read the data that the options name, so that the numbers are true; writes nothing. `random` draws
   * what the run's own `run.random` would.
   */
  plan(options: z.output<Schema>, random: Random): Promise<Plan>;
  /** Dotted names of options, or of whole groups, that have no effect beside the others; for the plan. */
  unusedOptions?(options: z.output<Schema>): readonly string[];
  /**
   * How a prompt that a person types becomes tokens, the way it did in the run; for `spar sample`. Left
   * out: the chat template of the tokenizer where it has one, else the text as it is.
   */
  renderer?(options: z.output<Schema>, tokenizer: Tokenizer): PromptRenderer;
  /**
   * A prompt that a model of such a run can answer, for the commands that are shown at its end. Left out or
   * null: the command that is shown asks for prompts.
   */
  examplePrompt?(options: z.output<Schema>): string | null;
  /** The method. What it returns is shown at the end and stored as the result of the run. */
  run(run: Run<z.output<Schema>>): Promise<JsonValue>;
}

/** Gives a recipe its types; nothing else. */
export function defineRecipe<Schema extends OptionsSchema>(recipe: Recipe<Schema>): Recipe<Schema> {
  return recipe;
}
