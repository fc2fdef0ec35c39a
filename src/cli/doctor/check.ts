/** One line of `spar doctor`: what was looked at, how it stands, and what to type where it is missing. */
export interface Check {
  readonly name: string;
  /** `missing` where spar cannot work, `optional` where it works without. */
  readonly status: "ok" | "optional" | "missing";
  readonly detail: string;
  /** The command or action that helps; null where nothing is to do. */
  readonly fix: string | null;
}
