/** `spar list`: recipes with their presets, games, engines, and the runs of the runs folder. */
import type { Command } from "commander";
import { isPlanned } from "../discovery/choose-engine.ts";
import { listEngines, type ListedEngine } from "../discovery/engines.ts";
import { listGames, type ListedGame } from "../discovery/games.ts";
import { basename } from "node:path";
import { listRuns, type RunListing } from "../../store/index.ts";
import { listRecipes, type ListedRecipe } from "../discovery/recipes.ts";
import { runsFolderOf } from "../runs-folder.ts";
import type { Shell } from "../shell.ts";
import { shownPath, shownPaths } from "../shown-path.ts";
import { surroundingsOf } from "./engine-options.ts";
import { addCommonOptions } from "./recipe-options.ts";
import { listingTable } from "../terminal/table.ts";
import { oneLine } from "../terminal/text.ts";

interface ListOptions {
  readonly json?: boolean;
  readonly runsFolder?: string;
}

interface Listing {
  readonly recipes: readonly ListedRecipe[];
  readonly games: readonly ListedGame[];
  readonly engines: readonly ListedEngine[];
  readonly runs: readonly RunListing[];
  readonly runsFolder: string;
}

export function addListCommand(program: Command, shell: Shell): void {
  const command = program
    .command("list")
    .description("show recipes with their presets, games, engines, and runs")
    .option("--json", "print one JSON object")
    .option("--runs-folder <folder>", "where runs are kept")
    .action(async (options: ListOptions) => {
      const runsFolder = runsFolderOf(shell, options.runsFolder);
      const listing: Listing = {
        recipes: await listRecipes(shell.place),
        games: await listGames(shell.place),
        engines: await listEngines(shell.place, surroundingsOf(shell)),
        runs: listRuns(runsFolder),
        runsFolder,
      };
      shell.screen.print(
        ...(options.json === true
          ? [JSON.stringify(listingJson(listing, shell.place))]
          : listingLines(listing, shell)),
      );
    });
  addCommonOptions(command);
}

function listingJson({ recipes, games, engines, runs }: Listing, place: Shell["place"]): object {
  return {
    recipes: recipes.map((recipe) => recipeJson(recipe, place)),
    games: games.map(gameJson),
    engines: engines.map(engineJson),
    runs: runs.map(runJson),
  };
}

function gameJson(listed: ListedGame): object {
  if (listed.kind === "broken") return { id: listed.id, problem: listed.problem };
  const { title, rules, seats, facts, defaultTask, limits } = listed.game;
  return { id: listed.id, title, rules, seats, facts, defaultTask, limits };
}

function runJson(run: RunListing): object {
  if (run.kind === "unreadable") return { folder: run.folder, problem: run.problem };
  const { manifest, folder, status, stepCount } = run;
  const { id, recipe, preset, seed, engine, createdMs } = manifest;
  return { id, folder, status, stepCount, recipe: recipe.id, preset, engine: engine.name, seed, createdMs };
}

function engineJson(listed: ListedEngine): object {
  if (listed.kind === "broken") return { id: listed.id, problem: listed.problem };
  return { id: listed.id, setUpCommand: listed.located.setUpCommand };
}

function recipeJson(listed: ListedRecipe, place: Shell["place"]): object {
  if (listed.kind === "broken") return { id: listed.id, problem: listed.problem };
  const { title, paper, summary, version, presets } = listed.recipe;
  const presetList = Object.entries(presets).map(([name, preset]) => ({
    name,
    engine: preset.engine,
    isEnginePlanned: isPlanned(preset.engine, presets, place),
    summary: preset.summary,
  }));
  return { id: listed.id, title, paper, summary, version, presets: presetList };
}

function listingLines(listing: Listing, shell: Shell): string[] {
  const { style, maximumWidth } = shell.screen;
  const { workingFolder } = shell;
  const table = (names: readonly string[], rows: readonly string[][]): string[] =>
    listingTable(names, rows, maximumWidth);
  return [
    style.heading("Recipes"),
    ...table(
      ["recipe", "preset", "engine", "what it does"],
      listing.recipes.flatMap((recipe) => recipeRows(recipe, shell.place)),
    ),
    "",
    style.heading("Games"),
    ...table(["game", "seats", "what it is"], listing.games.map(gameRow)),
    "",
    style.heading("Engines"),
    ...table(["engine", "is it here"], engineRows(listing.engines)),
    "",
    style.heading(`Runs in ${shownPath(listing.runsFolder, workingFolder)}`),
    ...table(
      ["run", "recipe", "preset", "engine", "steps", "status", "begun"],
      listing.runs.map((run) => runRow(run, workingFolder)),
    ),
  ];
}

/** Executors of which the same is true as of their engine share its row: `tinker[:hosted|:skyrl]`. */
function engineRows(engines: readonly ListedEngine[]): string[][] {
  const rows: { readonly id: string; readonly state: string; executors: string[] }[] = [];
  for (const listed of engines) {
    const state = engineState(listed);
    const [id = "", executor] = listed.id.split(":", 2);
    const own = rows.find((row) => row.id === id && row.state === state);
    if (own !== undefined && executor !== undefined) own.executors.push(`:${executor}`);
    else rows.push({ id: listed.id, state, executors: [] });
  }
  return rows.map(({ id, state, executors }) => [
    executors.length === 0 ? id : `${id}[${executors.join("|")}]`,
    state,
  ]);
}

function engineState(listed: ListedEngine): string {
  if (listed.kind === "broken") return `cannot be loaded: ${oneLine(listed.problem)}`;
  const { setUpCommand } = listed.located;
  return setUpCommand === null ? "yes" : `first type: ${setUpCommand}`;
}

function recipeRows(listed: ListedRecipe, place: Shell["place"]): string[][] {
  if (listed.kind === "broken") return [[listed.id, "", "", `cannot be loaded: ${oneLine(listed.problem)}`]];
  const { presets } = listed.recipe;
  return Object.entries(presets).map(([name, preset], index) => [
    index === 0 ? listed.id : "",
    name,
    isPlanned(preset.engine, presets, place) ? `${preset.engine} (planned)` : preset.engine,
    preset.summary,
  ]);
}

function gameRow(listed: ListedGame): string[] {
  if (listed.kind === "broken") return [listed.id, "", `cannot be loaded: ${oneLine(listed.problem)}`];
  const { title, seats, facts } = listed.game;
  const traits = [
    `${facts.information} information`,
    ...(facts.hasChance ? ["chance"] : []),
    facts.isZeroSum ? "zero-sum" : "returns of any sum",
  ];
  return [listed.id, seats.join(", "), `${title}: ${traits.join(", ")}`];
}

function runRow(run: RunListing, workingFolder: string): string[] {
  if (run.kind === "unreadable")
    return [
      basename(run.folder),
      "",
      "",
      "",
      "",
      `unreadable: ${shownPaths(oneLine(run.problem), workingFolder)}`,
      "",
    ];
  const { manifest, status, stepCount } = run;
  const begun = new Date(manifest.createdMs).toISOString().slice(0, 16).replace("T", " ");
  return [
    basename(run.folder),
    manifest.recipe.id,
    manifest.preset,
    basename(manifest.engine.name),
    String(stepCount),
    status,
    `${begun} UTC`,
  ];
}
