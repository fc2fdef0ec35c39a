/** What a reply says, whatever language it was written in. Plain data: it is on record with its turn. */

/** `reason`: what is missing, in one line. */
export type Unreadable = { readonly kind: "unreadable"; readonly reason: string };

export type ProposedTriplet = {
  readonly kind: "triplet";
  readonly program: string;
  readonly input: string;
  readonly thought: string;
  readonly isWellFormed: boolean;
};

export type ProposedCases = {
  readonly kind: "cases";
  readonly inputs: readonly string[];
  readonly message: string;
  readonly thought: string;
  readonly isWellFormed: boolean;
};

export type ParsedProposal = ProposedTriplet | ProposedCases | Unreadable;

/** Null text: there was no answer. */
export type ParsedAnswer = { readonly text: string | null; readonly isWellFormed: boolean };

export function unreadable(reason: string): Unreadable {
  return { kind: "unreadable", reason };
}
