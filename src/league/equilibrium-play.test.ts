import { beforeAll, expect, test } from "vitest";
import { findEquilibrium, type Equilibrium } from "../games/index.ts";
import { game as kuhnPoker } from "../games/kuhn-poker/game.ts";
import { profilePlayer, randomPlayer, type Player } from "../players/index.ts";
import { playEpisodes } from "../rollouts/index.ts";
import { MemoryRecorder, rolloutStep } from "../../test/fixtures/durability/memory-recorder.ts";

let equilibrium: Equilibrium;
beforeAll(async () => void (equilibrium = await findEquilibrium(kuhnPoker, kuhnPoker.defaultTask)));

const gameCount = 4000;

/** What the first seat gets in a game of Kuhn poker, on average. */
async function meanReturn(first: Player, second: Player): Promise<number> {
  const episodes = await playEpisodes({
    step: rolloutStep(new MemoryRecorder()),
    game: kuhnPoker,
    tasks: Array.from({ length: gameCount }, (_value, index) => ({
      id: String(index),
      task: kuhnPoker.defaultTask,
    })),
    seats: { first, second },
  });
  return episodes.reduce((sum, { outcome }) => sum + (outcome?.returns["first"] ?? NaN), 0) / gameCount;
}

test("at the table of Kuhn poker the first seat gets -1/18 where both keep to the equilibrium, more from a random player", async () => {
  const player = profilePlayer({ name: "equilibrium", profile: equilibrium.profile });
  // A standard error is 0.02.
  const standardErrors = 5 * 0.02;
  expect(Math.abs((await meanReturn(player, player)) + 1 / 18)).toBeLessThan(standardErrors);
  expect(await meanReturn(player, randomPlayer())).toBeGreaterThan(-1 / 18 + standardErrors);
});
