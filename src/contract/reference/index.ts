/** The float64 reference: what the words of the contract mean, in plain loops. */
export { clippingFactor, l2Norm } from "./clip-gradient-norm.ts";
export { initialOptimizerState, type OptimizerState } from "./optimizer-state.ts";
export { referenceLoss, referenceTerm } from "./reference-loss.ts";
export { referenceOptimizerStep, type ReferenceStep } from "./reference-optimizer.ts";
export type { TokenInputs, TokenTerm } from "./token-term.ts";
