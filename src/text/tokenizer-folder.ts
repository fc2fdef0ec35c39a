/** Reads a tokenizer from a model's folder in the hub's layout. The only file access of this folder. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SparError, messageOf } from "../base/index.ts";
import { loadTokenizer, type Tokenizer } from "./tokenizer.ts";

/**
 * Reads `tokenizer.json`, with `tokenizer_config.json` and `chat_template.jinja` where they are.
 *
 * @throws `tokenizer-not-found` where the folder has no `tokenizer.json`, and what `loadTokenizer` throws.
 */
export async function loadTokenizerFolder(folder: string): Promise<Tokenizer> {
  const tokenizerJson = await readOptional(join(folder, "tokenizer.json"));
  if (tokenizerJson === null) {
    throw new SparError({
      code: "tokenizer-not-found",
      boundary: "text",
      message: `no tokenizer.json in ${folder}`,
      hint: "name the folder of a model in the hub's layout",
      facts: { folder },
    });
  }
  const tokenizerConfigJson = (await readOptional(join(folder, "tokenizer_config.json"))) ?? "{}";
  const template = await readOptional(join(folder, "chat_template.jinja"));
  return loadTokenizer({
    tokenizerJson,
    tokenizerConfigJson:
      template === null ? tokenizerConfigJson : withTemplate(tokenizerConfigJson, template),
  });
}

/** Newer folders keep the template in a file of its own, which wins over one in the configuration. */
function withTemplate(tokenizerConfigJson: string, template: string): string {
  let config: unknown;
  try {
    config = JSON.parse(tokenizerConfigJson);
  } catch {
    // Left as it is: loadTokenizer says what is wrong with it.
    return tokenizerConfigJson;
  }
  return JSON.stringify(Object.assign({}, config, { chat_template: template }));
}

async function readOptional(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    if (
      thrown instanceof Error &&
      "code" in thrown &&
      (thrown.code === "ENOENT" || thrown.code === "ENOTDIR")
    )
      return null;
    throw new SparError({
      code: "tokenizer-unreadable",
      boundary: "text",
      message: `${path} cannot be read: ${messageOf(thrown)}`,
      hint: "check that the file is there and may be read",
      cause: thrown,
    });
  }
}
