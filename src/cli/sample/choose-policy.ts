/** Which model of a run is meant. */
import { SparError, suggestName } from "../../base/index.ts";
import type { SavedPolicy } from "../../train/index.ts";

/**
 * The policy of this name; where none is named, the one that the run made first.
 *
 * @throws `record-unknown`
 */
export function choosePolicy(policies: readonly SavedPolicy[], typed: string | undefined): SavedPolicy {
  const chosen = typed === undefined ? policies[0] : policies.find(({ name }) => name === typed);
  if (chosen !== undefined) return chosen;
  throw new SparError({
    code: "record-unknown",
    boundary: "command",
    message: typed === undefined ? "the run has kept no weights" : `the run has kept no policy "${typed}"`,
    hint:
      policies.length === 0
        ? "it has published none yet: wait where it is running, resume it where it was stopped"
        : suggestName(
            typed ?? "",
            policies.map(({ name }) => name),
          ),
  });
}
