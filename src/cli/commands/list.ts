/** `spar list`: recipes with their presets, engines, and the runs of the runs folder. */
import type { Command } from "commander";
import { listEngineIds } from "../discovery/engines.ts";
import { listRecipes, type ListedRecipe } from "../discovery/recipes.ts";
import type { Shell } from "../shell.ts";
import { formatTable } from "../terminal/table.ts";
import { oneLine } from "../terminal/text.ts";

interface ListOptions {
  readonly json?: boolean;
}

export function addListCommand(program: Command, shell: Shell): void {
  program
    .command("list")
    .description("show recipes with their presets, engines, and runs")
    .option("--json", "print one JSON object")
    .action(async (options: ListOptions) => {
      const recipes = await listRecipes(shell.place);
      const engines = listEngineIds(shell.place);
      if (options.json === true)
        shell.screen.print(JSON.stringify({ recipes: recipes.map(recipeJson), engines }));
      else shell.screen.print(...textLines({ recipes, engines, shell }));
    });
}

function recipeJson(listed: ListedRecipe): object {
  if (listed.kind === "broken") return { id: listed.id, problem: listed.problem };
  const { title, paper, summary, version, presets } = listed.recipe;
  const presetList = Object.entries(presets).map(([name, preset]) => ({
    name,
    engine: preset.engine,
    summary: preset.summary,
  }));
  return { id: listed.id, title, paper, summary, version, presets: presetList };
}

function textLines(found: {
  readonly recipes: readonly ListedRecipe[];
  readonly engines: readonly string[];
  readonly shell: Shell;
}): string[] {
  const { style, maximumWidth } = found.shell.screen;
  const recipeRows = found.recipes.flatMap((listed) =>
    listed.kind === "broken"
      ? [[listed.id, "", "", `cannot be loaded: ${oneLine(listed.problem)}`]]
      : Object.entries(listed.recipe.presets).map(([name, preset], index) => [
          index === 0 ? listed.id : "",
          name,
          preset.engine,
          preset.summary,
        ]),
  );
  const recipeColumns = [
    { name: "recipe" },
    { name: "preset" },
    { name: "engine" },
    { name: "what it does" },
  ];
  return [
    style.heading("Recipes"),
    ...(recipeRows.length === 0 ? ["none"] : formatTable(recipeColumns, recipeRows, maximumWidth)),
    "",
    style.heading("Engines"),
    found.engines.length === 0 ? "none" : found.engines.join(", "),
  ];
}
