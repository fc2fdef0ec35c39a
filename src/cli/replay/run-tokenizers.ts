/**
 * The tokenizer of a policy of a run, from its newest checkpoint. Engines save the tokenizer's files
 * beside the weights; where one does not, there is none.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { RunReader } from "../../store/index.ts";
import { loadTokenizerFolder, type Tokenizer } from "../../text/index.ts";

/** Looks through checkpoints, newest first, of this policy or of any where it is null. */
export async function tokenizerOfRun(reader: RunReader, policy: string | null): Promise<Tokenizer | null> {
  const root = reader.paths.checkpoints;
  const folders = existsSync(root) ? readdirSync(root) : [];
  for (const folder of folders.toSorted().toReversed()) {
    const path = join(root, folder);
    if (!existsSync(join(path, "tokenizer.json"))) continue;
    if (policy === null || reader.checkpoint(folder).policy === policy) return loadTokenizerFolder(path);
  }
  return null;
}
