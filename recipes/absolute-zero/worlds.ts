/** The world of a run, and the model that lives in it. */
import type { Random } from "spar/base";
import type { CreateModelOptions } from "spar/contract";
import { listWorld } from "./list-world.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import { pythonWorld } from "./python-world.ts";
import type { World } from "./world.ts";

/** Which programs are held out depends on it alone. */
export function heldOutRandom(random: Random): Random {
  return random.split("held-out");
}

/** @throws what tokenizers throw */
export async function openWorld(options: AbsoluteZeroOptions, random: Random): Promise<World> {
  if (options.world === "lists") return listWorld(options, heldOutRandom(random));
  const { baseModel, template, maxPromptTokens, maxReplyTokens, inputCount, functions } = options;
  return pythonWorld({
    tokenizerFolder: options.tokenizerFolder === "" ? baseModel : options.tokenizerFolder,
    template,
    contextLength: maxPromptTokens + maxReplyTokens,
    inputCount,
    functions,
  });
}

export function modelOptions(
  options: AbsoluteZeroOptions,
  { tokenizer, contextLength }: World,
  random: Random,
): Omit<CreateModelOptions, "name"> {
  const { baseModel, loraRank: rank } = options;
  const seed = random.split("weights").seed();
  const tuning = rank === 0 ? {} : ({ tuning: { kind: "lora", rank, alpha: 2 * rank, seed } } as const);
  if (baseModel !== "") return { from: { kind: "base", nameOrFolder: baseModel }, ...tuning };
  const architecture = {
    ...options.architecture,
    vocabularySize: tokenizer.vocabularySize,
    contextLength,
  };
  return {
    from: { kind: "architecture", architecture, seed },
    tokenizer: tokenizer.definition,
    ...tuning,
  };
}
