/**
 * The tokenizer of a policy of a run, from its newest checkpoint. Engines save the tokenizer's files
 * beside the weights; where one does not, there is none.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RunReader } from "../../store/index.ts";
import { loadTokenizerFolder, type Tokenizer } from "../../text/index.ts";
import { keptPolicies } from "../sample/kept-policies.ts";

const files = new Set(["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]);

/**
 * Looks through what was kept of this policy, or of any where it is null, newest first. What a crash
 * left beside it is no part of the run.
 */
export async function tokenizerOfRun(reader: RunReader, policy: string | null): Promise<Tokenizer | null> {
  const saved = keptPolicies(reader).filter(({ name }) => policy === null || name === policy);
  for (const { weights } of saved) {
    for (const { checkpoint } of weights.toReversed()) {
      if (!existsSync(join(reader.paths.checkpoints, checkpoint, "tokenizer.json"))) continue;
      return loadTokenizerFolder(await reader.checkpointFolder(checkpoint, (file) => files.has(file)));
    }
  }
  return null;
}
