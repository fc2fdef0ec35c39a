/**
 * Self-play from nothing: a policy with random weights learns a game by playing itself, with no data
 * and no rules but the outcome. Role-conditioned policy gradient (as in SPIRAL, arXiv:2506.24119),
 * measured exactly against perfect play, beside a control that met a random opponent only.
 */
import type { JsonValue } from "spar/base";
import { averageProfile } from "spar/games";
import { defineRecipe, type Recipe, type Run } from "spar/train";
import { treeOf } from "./measure-exploitability.ts";
import { rateVersions } from "./ladder.ts";
import { gamesOptions, type GamesOptions } from "./options.ts";
import { planGames } from "./plan.ts";
import { gamesPresets } from "./presets.ts";
import { checkGames, needsOfGames } from "./requirements.ts";
import { showProfile } from "./show-profile.ts";
import { comparison, roundRow, roundTable, type Compared } from "./show.ts";
import { train } from "./training.ts";
import { worldOf } from "./worlds.ts";

export const recipe: Recipe<typeof gamesOptions> = defineRecipe({
  id: "games",
  title: "Self-play from nothing",
  paper: null,
  summary: "a policy with random weights learns a game by playing against itself",
  version: 1,
  options: gamesOptions,
  presets: gamesPresets,
  check: checkGames,
  needs: needsOfGames,
  plan: async (options) => planGames(options),
  renderer: (options) => worldOf(options).renderer,
  run: runGames,
});

async function runGames(run: Run<GamesOptions>): Promise<JsonValue> {
  const { options } = run;
  const world = worldOf(options);
  const table = roundTable(run.report, world);
  const selfPlay = await train(run, world, {
    name: "policy",
    gamesPerUpdate: options.gamesPerUpdate,
    onRound: (round) => roundRow(table, world, round),
  });
  const compared: Compared[] = [{ name: "by self-play", curve: selfPlay.curve }];
  for (const kind of options.controls) {
    const { curve } = await train(run, world, {
      name: `control-${kind}`,
      // Only one seat learns, so this many games have as many moves of the learner.
      gamesPerUpdate: world.match.seats.length * options.gamesPerUpdate,
      isControl: true,
    });
    compared.push({ name: "against a random player", curve });
  }
  comparison(run.report, world, compared);
  if (world.match.facts.information === "hidden") {
    const tree = await treeOf(world);
    const title = "What it plays: how often each reply, averaged over the run";
    showProfile(run.report, title, tree, averageProfile(tree, selfPlay.average));
  }
  if (options.ladder.versions > 0) await rateVersions(run, world, selfPlay.rated);
  return {
    start: selfPlay.curve[0] ?? null,
    end: Object.fromEntries(compared.map(({ name, curve }) => [name, curve.at(-1) ?? null])),
  };
}
