/**
 * A tournament at the end: versions of the policy from the first to the last, a random player and the
 * solution of the game, each against each in every seat; then ratings on one scale.
 */
import { playCrossPlay, rateMatches, ratingsTable, reportTable, type Contestant } from "spar/league";
import { randomPlayer, solvedPlayer, type Player } from "spar/players";
import type { Run } from "spar/train";
import type { SeatVersions } from "./opponents.ts";
import type { GamesOptions } from "./options.ts";
import { playerOf } from "./self-play.ts";
import type { World } from "./worlds.ts";

export type RatedVersion = { readonly update: number; readonly versions: SeatVersions };

export async function rateVersions(
  run: Run<GamesOptions>,
  world: World,
  rated: readonly RatedVersion[],
): Promise<void> {
  const { options } = run;
  const ratings = await run.step("ladder", {}, async (step) => {
    const contestants: Contestant[] = [
      ...rated.map(({ update, versions }) => ({
        name: `after ${update} updates`,
        player: playerInEverySeat(run, world, versions),
      })),
      { name: "random", player: randomPlayer() },
    ];
    const { player: strongest } = await solvedPlayer(world.match, world.task, { signal: step.signal });
    contestants.push({ name: "perfect", player: strongest });
    const { results } = await playCrossPlay({
      step,
      match: world.match,
      task: world.task,
      contestants,
      matchesPerCell: options.ladder.matchesPerPairing,
      concurrency: options.concurrency,
    });
    return rateMatches({}, results);
  });
  reportTable(run.report, ratingsTable(ratings, "Ratings of versions (Glicko-2), replies at temperature 1"));
}

/** The seat that is asked decides which weights answer, where each seat has its own. */
function playerInEverySeat(run: Run<GamesOptions>, world: World, versions: SeatVersions): Player {
  const bySeat = new Map(
    Object.entries(versions).map(([seat, version]) => [
      seat,
      playerOf(run, world, { version, name: "version", kind: "frozen" }),
    ]),
  );
  const [any] = bySeat.values();
  if (any === undefined) throw new Error("expected a version for some seat, got none");
  return {
    ...any,
    reply: (request, call) => (bySeat.get(request.seat) ?? any).reply(request, call),
  };
}
