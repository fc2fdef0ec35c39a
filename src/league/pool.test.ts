import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom, parseJson } from "../base/index.ts";
import { opponentProbabilities, sampleOpponent, type OpponentSampling } from "./opponent-sampling.ts";
import { addToPool, createPool, recordGame, winRate, type Pool } from "./pool.ts";

const version = (number: number): { modelId: string; number: number; address: string; digest: null } => ({
  modelId: "policy",
  number,
  address: `run:policy@${number}`,
  digest: null,
});

const filled = (names: readonly string[], more: Partial<Pool> = {}): Pool =>
  names.reduce(
    (pool, name, index) => addToPool(pool, { name, version: version(index) }),
    createPool({ capacity: 100, memory: 1, ...more }),
  );

const played = (pool: Pool, name: string, results: string): Pool =>
  Array.from(results).reduce(
    (now, letter) => recordGame(now, name, letter === "w" ? "win" : letter === "d" ? "draw" : "loss"),
    pool,
  );

const namesOf = (pool: Pool): string[] => pool.members.map(({ name }) => name);
const prioritised = (weighting: "hard" | "even"): OpponentSampling => ({ kind: "prioritised", weighting });

describe("a pool", () => {
  test("is JSON that comes back as it was, with the versions that a run must keep", () => {
    const pool = played(filled(["a", "b"], { memory: 0.99 }), "b", "wdl");
    expect(parseJson(JSON.stringify(pool))).toEqual(pool);
    expect(JSON.stringify(pool)).toContain("run:policy@1");
  });

  test("never passes its capacity, keeps the newcomer, and is not changed in place", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom("oldest", "easiest"),
        fc.array(fc.nat(8), { maxLength: 20 }),
        (capacity, eviction, names) => {
          let pool = createPool({ capacity, eviction });
          for (const name of names) {
            const before = structuredClone(pool);
            const next = addToPool(pool, { name: String(name), version: null });
            expect(pool).toEqual(before);
            pool = next;
            expect(pool.members.length).toBeLessThanOrEqual(capacity);
            expect(namesOf(pool).at(-1)).toBe(String(name));
            expect(new Set(namesOf(pool)).size).toBe(pool.members.length);
          }
        },
      ),
    );
  });

  test("lets the oldest go, or the one that is beaten most", () => {
    const trio = played(played(filled(["a", "b", "c"], { capacity: 3 }), "b", "www"), "a", "l");
    expect(namesOf(addToPool(trio, { name: "d", version: null }))).toEqual(["b", "c", "d"]);
    expect(namesOf(addToPool({ ...trio, eviction: "easiest" }, { name: "d", version: null }))).toEqual([
      "a",
      "c",
      "d",
    ]);
  });

  test("remembers late games better than early ones", () => {
    const rate = (memory: number): number => {
      const pool = played(filled(["a"], { memory }), "a", "llllwwww");
      return winRate(pool.members[0]!);
    };
    expect(rate(1)).toBe(0.5);
    // By hand: at memory 1/2 the last four weigh 1, 1/2, 1/4, 1/8, the first four 1/16 of these.
    expect(rate(0.5)).toBeCloseTo(16 / 17, 12);
  });

  test("counts a draw as half, and an opponent that was not met as equal", () => {
    expect(winRate(filled(["a"]).members[0]!)).toBe(0.5);
    expect(winRate(played(filled(["a"]), "a", "wdd").members[0]!)).toBeCloseTo(2 / 3, 12);
  });

  test("refuses a game against who is not in it", () => {
    expect(() => recordGame(filled(["a"]), "z", "win")).toThrow(
      expect.objectContaining({ code: "pool-member-unknown", hint: expect.stringContaining("it has a") }),
    );
    expect(() => createPool({ capacity: 0 })).toThrow("capacity");
    expect(() => createPool({ capacity: 1, memory: 0 })).toThrow("memory");
  });
});

describe("drawing an opponent", () => {
  // Win rates of the learner: 1, 0.5, 0.25.
  const pool = played(
    played(played(filled(["easy", "equal", "hard"]), "easy", "ww"), "equal", "wl"),
    "hard",
    "wlll",
  );

  test("gives each member the probability of its strategy", () => {
    expect(opponentProbabilities(pool, { kind: "latest" })).toEqual([0, 0, 1]);
    expect(opponentProbabilities(pool, { kind: "uniform" })).toEqual([1 / 3, 1 / 3, 1 / 3]);
    // By hand: (1 - p)^2 is 0, 1/4, 9/16; p (1 - p) is 0, 1/4, 3/16.
    const [hard, even] = [prioritised("hard"), prioritised("even")].map((one) =>
      opponentProbabilities(pool, one),
    );
    [0, 4 / 13, 9 / 13].forEach((value, index) => expect(hard?.[index]).toBeCloseTo(value, 12));
    [0, 4 / 7, 3 / 7].forEach((value, index) => expect(even?.[index]).toBeCloseTo(value, 12));
  });

  test("draws in these shares, and never one without weight", () => {
    const sampling = prioritised("hard");
    const counts = new Map<string, number>();
    for (let index = 0; index < 4000; index++) {
      const { name } = sampleOpponent(pool, sampling, createRandom(1).split(index));
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual(["equal", "hard"]);
    // A standard error is 29: five of them.
    expect(Math.abs((counts.get("hard") ?? 0) - (4000 * 9) / 13)).toBeLessThan(146);
  });

  test("is uniform where the learner beats everyone", () => {
    const beaten = played(played(filled(["a", "b"]), "a", "w"), "b", "w");
    for (const weighting of ["hard", "even"] as const)
      expect(opponentProbabilities(beaten, prioritised(weighting))).toEqual([0.5, 0.5]);
  });

  test("probabilities of any pool add up to one", () => {
    const games = fc.array(fc.tuple(fc.nat(4), fc.constantFrom("w", "d", "l")), { maxLength: 60 });
    fc.assert(
      fc.property(games, fc.constantFrom("hard" as const, "even" as const), (results, weighting) => {
        const names = ["0", "1", "2", "3", "4"];
        const any = results.reduce((now, [name, result]) => played(now, String(name), result), filled(names));
        const sum = opponentProbabilities(any, prioritised(weighting)).reduce((total, one) => total + one, 0);
        expect(sum).toBeCloseTo(1, 12);
      }),
    );
  });

  test("from an empty pool is an error that says what to do", () => {
    expect(() => sampleOpponent(createPool({ capacity: 2 }), { kind: "latest" }, createRandom(1))).toThrow(
      expect.objectContaining({ code: "pool-empty", hint: expect.stringContaining("untrained policy") }),
    );
  });
});
