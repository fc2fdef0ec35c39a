/** A built-in loss as a custom loss, so that it can stand beside others in a sum. */
import { referenceLoss, type BuiltInLoss, type CustomLoss } from "../contract/index.ts";

/** The float64 reference under the name of the loss. */
export function builtInTerm(loss: BuiltInLoss, name: string = loss.kind): CustomLoss {
  return { name, evaluate: ({ logprobs }, data) => referenceLoss(loss, logprobs, data) };
}
