/** That a game does what it states about itself, in random play of many seeds. */
import { expect } from "vitest";
import type { Match, MatchOutcome } from "../../games/index.ts";
import { isWithin, tolerances } from "../tolerances.ts";
import { matchTest, type GameTest } from "./game-test.ts";
import { endOf, outcomeOf } from "./game-under-test.ts";

/** Of each task. */
const playCount = 100;

/** Requires that returns keep the facts. */
export function expectFactsKept(match: Pick<Match, "seats" | "facts">, outcome: MatchOutcome): void {
  const { returns, forfeitedBy } = outcome;
  const { smallestReturn, largestReturn, isZeroSum } = match.facts;
  expect(Object.keys(returns).toSorted(), "every seat has a return, nobody else").toEqual(
    match.seats.toSorted(),
  );
  for (const [seat, value] of Object.entries(returns)) {
    expect(value, `the return of ${seat} is not below smallestReturn`).toBeGreaterThanOrEqual(smallestReturn);
    expect(value, `the return of ${seat} is not above largestReturn`).toBeLessThanOrEqual(largestReturn);
  }
  if (forfeitedBy === null) {
    const sum = Object.values(returns).reduce((total, value) => total + value, 0);
    if (isZeroSum)
      expect(isWithin(sum, 0, tolerances.float64), `returns add up to zero, not ${sum}`).toBe(true);
    return;
  }
  expect(match.seats, "who forfeits sits at the table").toContain(forfeitedBy);
  expect(returns[forfeitedBy], "who forfeits gets smallestReturn").toBe(smallestReturn);
}

export const factsTests: readonly GameTest[] = [
  {
    title: "random play ends within the declared limits, and legal replies never forfeit",
    run: async (game) => {
      for await (const play of game.plays(playCount)) {
        const refused = play.watch.events.filter(
          (event) =>
            (event.kind === "reply" && event.reply.kind === "limit") ||
            (event.kind === "call" && event.outcome.kind === "limit"),
        );
        endOf(play);
        expect(refused, "no limit is used up").toEqual([]);
        if (game.match === null) continue;
        const outcome = outcomeOf(play);
        expect(outcome.forfeitedBy, `a legal reply was refused: ${outcome.how}`).toBeNull();
      }
    },
  },
  matchTest({
    title: "outcomes are JSON, give every seat a return, and keep the stated facts",
    run: async (game, match) => {
      for await (const play of game.plays(playCount)) expectFactsKept(match, outcomeOf(play));
    },
  }),
  matchTest({
    title: "the game draws where it says so, and only there",
    run: async (game, match) => {
      const { hasChance } = match.facts;
      for await (const play of game.plays(playCount)) {
        outcomeOf(play);
        const drew = play.watch.events.some(({ kind }) => kind === "draw" || kind === "random");
        if (drew && !hasChance) expect.fail("the game draws, and states hasChance: false");
        if (drew) return;
      }
      expect(hasChance, `no play of ${playCount} drew: state hasChance: false`).toBe(false);
    },
  }),
];
