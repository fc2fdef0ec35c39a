/** Which weights of a run can be loaded, whether it has ended or is still going on. */
import type { RunReader } from "../../store/index.ts";
import { listSavedPolicies, type SavedPolicy } from "../../train/index.ts";

/**
 * Policies in the order in which the run made them. Of a run that is still going on its versions alone:
 * the last state of a model is replaced while one looks at it.
 */
export function keptPolicies(reader: RunReader): SavedPolicy[] {
  const policies = listSavedPolicies(reader);
  if (reader.status() !== "running") return policies;
  return policies.flatMap(({ name, weights }) => {
    const [first, ...others] = weights.filter(({ isVersion }) => isVersion);
    return first === undefined ? [] : [{ name, weights: [first, ...others] }];
  });
}
