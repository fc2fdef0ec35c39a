import { describe, expect, test } from "vitest";
import { createRandom } from "../base/index.ts";
import type { MatchResult } from "./match-result.ts";
import { expectedScore, rankPlayers, rateMatches, unrated, type Ratings } from "./ratings.ts";
import { ratingsTable } from "./tables.ts";

const duel = (first: string, second: string, difference: number): MatchResult => ({
  players: { X: first, O: second },
  returns: { X: difference, O: -difference },
  forfeitedBy: null,
});

/** Matches between players whose chances follow these skills, in the scale of the ratings. */
function simulate(skills: Readonly<Record<string, number>>, matchCount: number, seed: number): MatchResult[] {
  const random = createRandom(seed);
  const names = Object.keys(skills);
  return Array.from({ length: matchCount }, () => {
    const [first = "", second = ""] = random.shuffle(names);
    const chance = 1 / (1 + 10 ** (((skills[second] ?? 0) - (skills[first] ?? 0)) / 400));
    return duel(first, second, random.uniform() < chance ? 1 : -1);
  });
}

describe("ratings", () => {
  test("of the inventor's own example are his", () => {
    // Glickman 2022, Example of the Glicko-2 system: 1464.06, 151.52, 0.05999, to the digits printed there.
    const ratings: Ratings = {
      player: { rating: 1500, deviation: 200, volatility: 0.06 },
      a: { rating: 1400, deviation: 30, volatility: 0.06 },
      b: { rating: 1550, deviation: 100, volatility: 0.06 },
      c: { rating: 1700, deviation: 300, volatility: 0.06 },
    };
    const results = [duel("player", "a", 1), duel("player", "b", -1), duel("player", "c", -1)];
    const { player } = rateMatches(ratings, results, { matchesPerPeriod: 3 });
    expect(Math.abs(player!.rating - 1464.06)).toBeLessThan(0.02);
    expect(Math.abs(player!.deviation - 151.52)).toBeLessThan(0.01);
    expect(Math.abs(player!.volatility - 0.05999)).toBeLessThan(1e-5);
    const other = rateMatches(ratings, [duel("player", "a", 0), ...results.slice(1)], {
      matchesPerPeriod: 3,
    });
    expect(Math.abs(other["player"]!.rating - 1464.06), "a draw in place of a win shows").toBeGreaterThan(10);
  });

  test("come near the skills that made the matches, and say how near", () => {
    const skills = { best: 1700, good: 1560, fair: 1440, weak: 1300 };
    let inside = 0;
    for (let seed = 0; seed < 10; seed++) {
      const ranked = rankPlayers(rateMatches({}, simulate(skills, 600, seed)));
      expect(ranked.map(({ name }) => name)).toEqual(Object.keys(skills));
      // The mean is free, so differences are compared: to that of the middle of all skills.
      const middle = ranked.reduce((sum, { rating }) => sum + rating, 0) / ranked.length;
      for (const { name, rating, deviation } of ranked) {
        const skill = skills[name as keyof typeof skills] - 1500;
        expect(Math.abs(rating - middle - skill)).toBeLessThan(150);
        if (Math.abs(rating - middle - skill) < 1.96 * deviation) inside++;
      }
    }
    expect(inside, "of 40, about 38 are expected").toBeGreaterThan(34);
  });

  test("get surer with every match, and stay as they are for who does not play", () => {
    const first = rateMatches(
      { absent: { ...unrated, rating: 1600 } },
      simulate({ a: 1500, b: 1500 }, 30, 1),
    );
    const second = rateMatches(first, simulate({ a: 1500, b: 1500 }, 300, 2));
    expect(first["a"]!.deviation).toBeLessThan(unrated.deviation);
    expect(second["a"]!.deviation).toBeLessThan(first["a"]!.deviation);
    expect(second["absent"]).toEqual({ ...unrated, rating: 1600 });
  });

  test("of equal players are equal, of many seats every pair counts, and oneself is no opponent", () => {
    const drawn = rateMatches({}, [duel("a", "b", 0)]);
    expect(drawn["a"]!.rating).toBeCloseTo(drawn["b"]!.rating, 9);
    const three: MatchResult = {
      players: { one: "a", two: "b", three: "c" },
      returns: { one: 2, two: 1, three: 0 },
      forfeitedBy: null,
    };
    expect(rankPlayers(rateMatches({}, [three])).map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(rateMatches({}, [duel("a", "a", 1)])).toEqual({});
    expect(rateMatches({}, [])).toEqual({});
  });

  test("predict scores that add up to one", () => {
    const [strong, weak] = [
      { ...unrated, rating: 1700, deviation: 50 },
      { ...unrated, deviation: 50 },
    ];
    expect(expectedScore(strong, weak)).toBeGreaterThan(0.7);
    expect(expectedScore(strong, weak) + expectedScore(weak, strong)).toBeCloseTo(1, 12);
    expect(expectedScore(weak, weak)).toBe(0.5);
  });

  test("are shown with their uncertainty, best first", () => {
    const { rows } = ratingsTable({ a: { ...unrated, rating: 1400, deviation: 100 }, b: unrated });
    expect(rows).toEqual([
      ["b", 1500, 686, 814, 2186],
      ["a", 1400, 196, 1204, 1596],
    ]);
  });
});
