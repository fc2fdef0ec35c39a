/**
 * Finds recipes: by folder in the package, or one's own by path. A recipe that cannot be loaded is
 * reported as such in listings, it does not break them.
 */
import { resolve } from "node:path";
import { messageOf, SparError, suggestName } from "../../base/index.ts";
import type { Recipe } from "../../train/index.ts";
import { loadModule, looksLikePath } from "./load-module.ts";
import { modulesByFolder, type PackageFolder } from "./package-folder.ts";

export interface LocatedRecipe {
  readonly recipe: Recipe;
  /** The file that it was loaded from, where it does not come with spar. */
  readonly ownFile: string | null;
}

export type ListedRecipe =
  | { readonly kind: "loaded"; readonly id: string; readonly recipe: Recipe }
  | { readonly kind: "broken"; readonly id: string; readonly problem: string };

export interface RecipeRequest {
  /** An id, or the path of a file that exports `recipe`. */
  readonly typed: string;
  readonly place: PackageFolder;
  readonly workingFolder: string;
}

/**
 * @throws `unknown-recipe`, `file-missing`, `module-unreadable`, `not-a-recipe`
 */
export async function findRecipe(request: RecipeRequest): Promise<LocatedRecipe> {
  const { typed, place } = request;
  if (looksLikePath(typed)) {
    const ownFile = resolve(request.workingFolder, typed);
    return { recipe: await loadRecipe(ownFile), ownFile };
  }
  const known = modulesByFolder(place, "recipes", "recipe");
  const found = known.find(({ id }) => id === typed);
  if (found !== undefined) return { recipe: await loadRecipe(found.file), ownFile: null };
  throw new SparError({
    code: "unknown-recipe",
    boundary: "command",
    message: `no recipe is called "${typed}"`,
    hint: `${suggestName(
      typed,
      known.map(({ id }) => id),
    )}; or give the path of a file of yours, such as ./${typed}.ts`,
  });
}

export async function listRecipes(place: PackageFolder): Promise<ListedRecipe[]> {
  const listed = modulesByFolder(place, "recipes", "recipe").map(
    async ({ id, file }): Promise<ListedRecipe> => {
      try {
        return { kind: "loaded", id, recipe: await loadRecipe(file) };
      } catch (thrown) {
        return { kind: "broken", id, problem: messageOf(thrown) };
      }
    },
  );
  return Promise.all(listed);
}

async function loadRecipe(file: string): Promise<Recipe> {
  const { recipe } = await loadModule({ file, kind: "recipe" });
  if (isRecipe(recipe)) return recipe;
  throw new SparError({
    code: "not-a-recipe",
    boundary: "command",
    message:
      recipe === undefined
        ? `${file} does not export a recipe`
        : `what ${file} exports as recipe is none: it lacks ${missingKeys(recipe).join(", ")}`,
    hint: 'export it by name: export const recipe = defineRecipe({ ... }) with defineRecipe from "spar/train"',
  });
}

const requiredKeys = ["id", "title", "version", "options", "presets", "needs", "plan", "run"];

function isRecipe(value: unknown): value is Recipe {
  return missingKeys(value).length === 0;
}

function missingKeys(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return requiredKeys;
  return requiredKeys.filter((key) => !(key in value));
}
