/** Names of data and models in the options: what comes with the recipe, what lies here, what is on the hub. */
import type { SpinOptions } from "./options.ts";

/** The arithmetic that comes with the recipe, for tiny models. */
export const shippedAnnotations = "gsm8k-annotations";
/** The problems with human answers that come with the recipe, for models that read. */
export const shippedProblems = "gsm8k-problems";

/** Whether data come with the recipe. */
export function isShipped(data: string): boolean {
  return data === shippedAnnotations || data === shippedProblems;
}

/** The folder with the tokenizer of the base model. */
export function tokenizerFolderOf({ baseModel, tokenizerFolder }: SpinOptions): string {
  return tokenizerFolder === "" ? baseModel : tokenizerFolder;
}

/** Whether a base model is a folder here (`./name`, `/path`), not a name of the hub. */
export function isFolderName(baseModel: string): boolean {
  return /^\.{0,2}\//.test(baseModel);
}

/** Whether a source lies on the hub, and not here. */
export function isRemote(source: string): boolean {
  return source.startsWith("hf://");
}
