import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { expectClose, expectCode, expectDifferent, tolerances } from "../../testing/index.ts";
import { defineMatch, forfeit, type Match } from "../match.ts";
import { game as kuhnPoker } from "../kuhn-poker/game.ts";
import { addToAverage, averageProfile, type ProfileSum } from "./average-profile.ts";
import { bestResponse, exploitabilityOf } from "./best-response.ts";
import { growTree, type InformationSet, type MatchTree } from "./grow-tree.ts";
import { expectedReturns, profileOf, uniformBehavior, type Behavior, type Profile } from "./profiles.ts";

let tree: MatchTree;

beforeAll(async () => {
  tree = await growTree(kuhnPoker, { isExplained: false });
});

const betting = (bet: number, illegal = 0): Behavior => ({
  choices: { p: 1 - bet - illegal, b: bet },
  illegal,
});

/** The probability of a bet, by seat and position. */
function kuhnProfile(bets: Readonly<Record<string, number>>): Profile {
  return profileOf(tree, ({ key }) => betting(bets[key] ?? 0));
}

/** Kuhn's equilibria: one for each alpha from 0 to 1/3. */
const equilibrium = (alpha: number): Profile =>
  kuhnProfile({
    "first: J": alpha,
    "first: K": 3 * alpha,
    "first: Q after pass, bet": alpha + 1 / 3,
    "first: K after pass, bet": 1,
    "second: J after pass": 1 / 3,
    "second: K after pass": 1,
    "second: Q after bet": 1 / 3,
    "second: K after bet": 1,
  });

const uniform = (): Profile => profileOf(tree, uniformBehavior);

test("Kuhn poker has twelve information sets", () => {
  const cards = ["J", "Q", "K"];
  const keys = cards.flatMap((card) => [
    `first: ${card}`,
    `first: ${card} after pass, bet`,
    `second: ${card} after pass`,
    `second: ${card} after bet`,
  ]);
  expect([...tree.informationSets.keys()].toSorted()).toEqual(keys.toSorted());
});

test("uniform play of Kuhn poker gives the first seat 1/8 and has a NashConv of 11/12", () => {
  const { returns, nashConv, exploitability } = exploitabilityOf(tree, uniform());
  const expected = { first: 1 / 8, second: -1 / 8, nashConv: 11 / 12, exploitability: 11 / 24 };
  expectClose({ ...returns, nashConv, exploitability }, expected, tolerances.float64);
  const other = exploitabilityOf(tree, { ...uniform(), "first: J": betting(0.6) });
  expectDifferent(
    { ...other.returns, nashConv: other.nashConv, exploitability: other.exploitability },
    expected,
    tolerances.float64,
  );
});

test.each([0, 0.1, 0.2, 1 / 3])("the equilibrium with alpha %f gives -1/18 and has no NashConv", (alpha) => {
  const { returns, nashConv } = exploitabilityOf(tree, equilibrium(alpha));
  expectClose({ ...returns, nashConv }, { first: -1 / 18, second: 1 / 18, nashConv: 0 }, tolerances.float64);
});

test.each([
  "first: J",
  "first: Q",
  "first: K",
  "first: Q after pass, bet",
  "second: J after pass",
  "second: Q after bet",
])("a profile off the equilibrium for %s can be exploited", (key) => {
  const profile = equilibrium(0.2);
  const bet = profile[key]?.choices["b"] ?? 0;
  const perturbed = exploitabilityOf(tree, { ...profile, [key]: betting(bet + 0.1) });
  expect(perturbed.nashConv).toBeGreaterThan(0.005);
});

test("no profile has a negative NashConv, and best responses get what they claim", () => {
  const keys = [...tree.informationSets.keys()];
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.double({ min: 0, max: 0.8, noNaN: true }), fc.double({ min: 0, max: 0.2, noNaN: true })),
        {
          minLength: keys.length,
          maxLength: keys.length,
        },
      ),
      (numbers) => {
        const profile = Object.fromEntries(
          keys.map((key, index) => [key, betting(...(numbers[index] ?? [0, 0]))]),
        );
        const { nashConv, bestResponses } = exploitabilityOf(tree, profile);
        expect(nashConv).toBeGreaterThan(-1e-12);
        for (const seat of tree.seats) {
          const { value, choices } = bestResponses[seat] ?? { value: NaN, choices: {} };
          const answered = { ...profile };
          for (const [key, choice] of Object.entries(choices))
            answered[key] = betting(choice === "b" ? 1 : 0);
          expectClose(expectedReturns(tree, answered)[seat] ?? NaN, value, tolerances.float64);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test("a best response is as good as the best of all pure answers, tried one by one", () => {
  const profile: Profile = {
    ...equilibrium(0.3),
    "first: Q": betting(0.7),
    "second: Q after bet": betting(0.9),
  };
  for (const seat of tree.seats) {
    const own = [...tree.informationSets.keys()].filter((key) => key.startsWith(seat));
    const values = Array.from({ length: 2 ** own.length }, (_value, number) => {
      const answer = own.map((key, index) => [key, betting((number >> index) & 1)] as const);
      return expectedReturns(tree, { ...profile, ...Object.fromEntries(answer) })[seat] ?? NaN;
    });
    expectClose(bestResponse(tree, profile, seat).value, Math.max(...values), tolerances.float64);
    expect(new Set(values.map((value) => value.toFixed(9))).size).toBeGreaterThan(4);
  }
});

test("illegal replies cost their seat a forfeit and give the other nothing", () => {
  const half = {
    ...equilibrium(0),
    "first: J": betting(0, 0.5),
    "first: Q": betting(0, 0.5),
    "first: K": betting(0, 0.5),
  };
  const { returns, nashConv } = exploitabilityOf(tree, half);
  expectClose(returns, { first: -1 - 1 / 36, second: 1 / 36 }, tolerances.float64);
  expect(nashConv).toBeGreaterThan(0.9);
});

test("an average counts a behavior by how likely its seat comes there", () => {
  // One profile always bets with J at once, the other passes and then bets: only the second comes to the later set.
  const bold = kuhnProfile({ "first: J": 1, "first: J after pass, bet": 0 });
  const late = kuhnProfile({ "first: J": 0, "first: J after pass, bet": 1 });
  let sum: ProfileSum = {};
  for (const profile of [bold, late]) sum = addToAverage(tree, sum, { profile });
  const average = averageProfile(tree, sum);
  expect(average["first: J"]).toEqual(betting(0.5));
  expect(average["first: J after pass, bet"]).toEqual(betting(1));
  expect(average["second: Q after bet"]).toEqual(betting(0));
});

test("an average gets what a seat gets that picks one of the profiles and keeps to it", () => {
  const profiles = [equilibrium(0.1), uniform(), { ...uniform(), "first: Q": betting(0.2, 0.3) }];
  const weights = [1, 2, 0.5];
  let sum: ProfileSum = {};
  for (const [index, profile] of profiles.entries()) {
    sum = addToAverage(tree, sum, { profile, weight: weights[index] ?? 0 });
    sum = JSON.parse(JSON.stringify(sum));
  }
  const average = averageProfile(tree, sum);
  const opponent = equilibrium(0.25);
  const against = (profile: Profile): number => {
    const own = Object.entries(profile).filter(([key]) => key.startsWith("first"));
    return expectedReturns(tree, { ...opponent, ...Object.fromEntries(own) })["first"] ?? NaN;
  };
  const mixed =
    profiles.reduce((total, profile, index) => total + (weights[index] ?? 0) * against(profile), 0) / 3.5;
  expectClose(against(average), mixed, tolerances.float64);
  expectDifferent(against(uniform()), mixed, tolerances.float64);
});

test("where no profile leads the average is uniform", () => {
  expect(averageProfile(tree, {})).toEqual(uniform());
});

test("fictitious play: the average of best responses comes near the equilibrium, the last one does not", () => {
  let sum: ProfileSum = addToAverage(tree, {}, { profile: uniform() });
  let last = uniform();
  for (let round = 0; round < 1000; round++) {
    const { bestResponses } = exploitabilityOf(tree, averageProfile(tree, sum));
    last = profileOf(tree, ({ key, seat }) => betting(bestResponses[seat]?.choices[key] === "b" ? 1 : 0));
    sum = addToAverage(tree, sum, { profile: last });
  }
  const { nashConv, returns } = exploitabilityOf(tree, averageProfile(tree, sum));
  expect(nashConv).toBeLessThan(0.03);
  expect(Math.abs((returns["first"] ?? NaN) + 1 / 18)).toBeLessThan(0.02);
  expect(exploitabilityOf(tree, last).nashConv).toBeGreaterThan(0.3);
});

test.each<{ readonly what: string; readonly behavior: Behavior | undefined }>([
  { what: "nothing", behavior: undefined },
  { what: "a sum of 0.9", behavior: { choices: { p: 0.4, b: 0.5 }, illegal: 0 } },
  { what: "a negative probability", behavior: { choices: { p: 1.5, b: -0.5 }, illegal: 0 } },
  { what: "a choice too few", behavior: { choices: { p: 1 }, illegal: 0 } },
  { what: "a choice too many", behavior: { choices: { p: 0.5, b: 0.5, raise: 0 }, illegal: 0 } },
  { what: "no number", behavior: { choices: { p: NaN, b: 1 }, illegal: 0 } },
])("a profile with $what in an information set is refused", async ({ behavior }) => {
  const profile = { ...uniform() };
  if (behavior === undefined) delete profile["first: J"];
  else profile["first: J"] = behavior;
  await expectCode(
    Promise.resolve().then(() => expectedReturns(tree, profile)),
    "not-a-policy",
  );
});

/** Two asks of one seat after a coin; what the position and the prompt tell is up to the test. */
function coins(
  tell: (coin: string, said: string | null) => { readonly position: string; readonly prompt: string },
): Match<null> {
  const match: Match<null> = defineMatch<null>({
    id: "coins",
    title: "Coins",
    rules: "Say which side is up, twice.",
    seats: ["a"],
    facts: { information: "hidden", hasChance: true, isZeroSum: false, smallestReturn: -1, largestReturn: 1 },
    defaultTask: null,
    limits: { turns: 2, calls: 0, tokens: 9, timeMs: 1000 },
    play: async (table) => {
      const coin = table.draw("coin", ["heads", "tails"]);
      let said: string | null = null;
      for (let turn = 0; turn < 2; turn++) {
        const { position, prompt } = tell(coin, said);
        const reply = await table.ask("a", {
          prompt: [{ kind: "text", role: "user", text: prompt }],
          parse: (text) => text,
          choices: ["heads", "tails"],
          position,
        });
        if (reply.kind === "limit" || reply.turn.text === "") return forfeit(match, "a", "nothing said");
        said = reply.turn.text;
      }
      return { returns: { a: said === coin ? 1 : 0 }, forfeitedBy: null, how: "said" };
    },
  });
  return match;
}

test("positions that hide what the seat said, or prompts that tell more than the position, are refused", async () => {
  const fine = coins((_coin, said) => ({ position: `said ${said}`, prompt: "which?" }));
  expect((await growTree(fine, null)).informationSets.size).toBe(3);
  const forgetful = coins((_coin, said) => ({
    position: said === null ? "first" : "second",
    prompt: "which?",
  }));
  await expectCode(growTree(forgetful, null), "position-ambiguous");
  const leaking = coins((coin, said) => ({ position: `said ${said}`, prompt: `not ${coin}` }));
  await expectCode(growTree(leaking, null), "position-ambiguous");
});

test("a game that goes on after an empty reply has no tree with illegal replies", async () => {
  const deaf: Match<null> = {
    ...coins(() => ({ position: "", prompt: "" })),
    play: async (table) => {
      await table.ask("a", { prompt: [], parse: String, choices: ["x"], position: "only" });
      return { returns: { a: 0 }, forfeitedBy: null, how: "whatever" };
    },
  };
  await expectCode(growTree(deaf, null), "no-exact-tree");
});

test("an information set carries what an engine is asked there", () => {
  const set: InformationSet | undefined = tree.informationSets.get("first: K after pass, bet");
  expect(set).toMatchObject({
    seat: "first",
    choices: ["p", "b"],
    context: [
      { kind: "text", role: "user", text: "K" },
      { kind: "text", role: "assistant", text: "p" },
    ],
    prompt: [{ kind: "text", role: "user", text: "b" }],
    maxTokens: 1,
  });
});
