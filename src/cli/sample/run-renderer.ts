/** How prompts become tokens for weights of a run, outside of it. */
import { z } from "zod";
import type { RunReader } from "../../store/index.ts";
import { chatRenderer, plainRenderer, type PromptRenderer, type Tokenizer } from "../../text/index.ts";
import { findRecipe } from "../discovery/recipes.ts";
import { recipeOfRun } from "../run-session.ts";
import type { Shell } from "../shell.ts";

/** As the recipe turns prompts into tokens, else by the model's chat template, else as they are. */
export async function rendererOf(request: {
  readonly reader: RunReader;
  readonly tokenizer: Tokenizer;
  /** The recipe file that was typed; else the run knows its recipe. */
  readonly recipe: string | undefined;
  readonly shell: Shell;
}): Promise<PromptRenderer> {
  const { reader, tokenizer, shell } = request;
  const { options } = reader.manifest;
  const typed = request.recipe ?? recipeOfRun(reader.manifest);
  const { place, workingFolder } = shell;
  const located = await findRecipe({ typed, place, workingFolder });
  const parsed = z.safeParse(located.recipe.options, options);
  const own = parsed.success ? located.recipe.renderer?.(parsed.data, tokenizer) : undefined;
  return own ?? (tokenizer.chatTemplate === null ? plainRenderer(tokenizer) : chatRenderer(tokenizer));
}
