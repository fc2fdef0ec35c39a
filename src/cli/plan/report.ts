/** A plan as data, for people and as JSON: what `spar plan` found out without starting anything. */
import type { Capability } from "../../contract/index.ts";
import type { Plan } from "../../train/index.ts";

export interface EngineFit {
  readonly id: string;
  /** What the recipe needs and this engine lacks; empty where it can run it. */
  readonly missing: readonly Capability[];
  /** Why nothing is known about it: it does not start here. */
  readonly problem: string | null;
  /** What has to be typed before it starts here; null where nothing has. */
  readonly setUpCommand: string | null;
  /** A preset names it, and this version does not have it. */
  readonly isPlanned: boolean;
}

export interface InputState {
  readonly input: string;
  /** `remote` inputs are fetched by the run and not looked for here. */
  readonly state: "there" | "missing" | "remote";
  /** How to get it, where it is missing and the recipe says so. */
  readonly hint: string | null;
}

export interface OptionValue {
  readonly name: string;
  readonly value: unknown;
  /** Where the value came from. */
  readonly source: "default" | "preset" | "set";
  readonly unit: string | null;
  /** What it can be, where that is one of a few, as JSON; null elsewhere. */
  readonly choices: readonly string[] | null;
  /** False where the other options leave it without effect. */
  readonly isUsed: boolean;
  readonly description: string;
}

export interface PlanReport {
  readonly recipe: string;
  readonly title: string;
  readonly paper: string | null;
  readonly preset: string;
  readonly engine: string;
  /** What the numbers were drawn with, where data are split by it. */
  readonly seed: number;
  readonly plan: Plan;
  readonly needs: readonly Capability[];
  readonly engines: readonly EngineFit[];
  readonly inputs: readonly InputState[];
  readonly departures: readonly string[];
  readonly options: readonly OptionValue[];
}
