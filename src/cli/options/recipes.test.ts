/** The options of every recipe that comes with spar, as `spar plan` prints them. */
import { expect, test } from "vitest";
import { z } from "zod";
import { findPackageFolder } from "../discovery/package-folder.ts";
import { listRecipes } from "../discovery/recipes.ts";
import { choicesOf, listOptionPaths } from "./option-paths.ts";

const recipes = (await listRecipes(findPackageFolder(import.meta.url))).flatMap((listed) =>
  listed.kind === "loaded" ? [listed.recipe] : [],
);

test.each(recipes.map((recipe) => [recipe.id, recipe] as const))(
  "every option of %s says what it means",
  (_id, { options }) => {
    const silent = listOptionPaths(options).filter(({ description }) => description === "");
    expect(silent.map(({ name }) => name)).toEqual([]);
  },
);

test.each(recipes.map((recipe) => [recipe.id, recipe] as const))(
  "what %s calls unused beside others is one of its options or groups",
  (_id, recipe) => {
    const names = listOptionPaths(recipe.options).map(({ name }) => name);
    for (const preset of Object.values(recipe.presets)) {
      const options = recipe.options.parse(preset.options);
      for (const unused of recipe.unusedOptions?.(options) ?? [])
        expect(
          names.some((name) => name === unused || name.startsWith(`${unused}.`)),
          unused,
        ).toBe(true);
    }
  },
);

test("choices are those of enumerations, of literals, and of the members of a list", () => {
  expect(choicesOf(z.enum(["a", "b"]).default("a"))).toEqual(['"a"', '"b"']);
  expect(choicesOf(z.union([z.literal(1), z.literal(2)]))).toEqual(["1", "2"]);
  expect(choicesOf(z.array(z.enum(["a", "b"])))).toEqual(['"a"', '"b"']);
  for (const open of [
    z.string(),
    z.number().min(1),
    z.boolean(),
    z.array(z.number()),
    z.union([z.literal(1), z.string()]),
  ])
    expect(choicesOf(open)).toBeNull();
});
