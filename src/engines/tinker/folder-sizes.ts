/** What a folder in the hub's format says of a model's sizes, for servers that say nothing of them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const configFile = z.object({
  max_position_embeddings: z.int().positive().optional(),
  vocab_size: z.int().positive().optional(),
});

export interface FolderSizes {
  readonly contextLength: number | undefined;
  readonly vocabularySize: number | undefined;
}

/** Nothing is known of a base that is no folder of this machine, such as a name of the hub. */
export async function sizesOfFolder(nameOrFolder: string): Promise<FolderSizes> {
  try {
    const json: unknown = JSON.parse(await readFile(join(nameOrFolder, "config.json"), "utf8"));
    const { max_position_embeddings, vocab_size } = configFile.parse(json);
    return { contextLength: max_position_embeddings, vocabularySize: vocab_size };
  } catch {
    return { contextLength: undefined, vocabularySize: undefined };
  }
}
