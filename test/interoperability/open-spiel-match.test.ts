/** Games of OpenSpiel without Python: all states of Kuhn poker as they were recorded, and states made up for what it lacks. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { canonicalJson, createRandom, systemClock, SparError, type JsonValue } from "../../src/base/index.ts";
import { scriptedPlayer, type PlayerRequest } from "../../src/players/index.ts";
import { playEpisodes, unrecordedStep, type PlayedEpisode, type Service } from "../../src/rollouts/index.ts";
import { expectClose, expectCode, expectDifferent, tolerances } from "../../src/testing/index.ts";
import {
  exploitabilityOf,
  growTree,
  openSpielMatch,
  profileOf,
  uniformBehavior,
  type MatchOutcome,
} from "../../src/games/index.ts";

const recorded = z
  .object({ description: z.json(), states: z.array(z.object({ input: z.json(), output: z.json() })) })
  .parse(JSON.parse(readFileSync(new URL("recorded/kuhn-poker.json", import.meta.url), "utf8")));
const states = new Map(recorded.states.map(({ input, output }) => [canonicalJson(input), output]));
const kuhn = openSpielMatch(recorded.description);
const fromRecord: Service = (input) => {
  const output = states.get(canonicalJson(input));
  return output === undefined ? Promise.reject(new Error("no such state")) : Promise.resolve(output);
};

test("Kuhn poker as OpenSpiel plays it has an exact tree, with the values that are known of it", async () => {
  const tree = await growTree(kuhn, null, { services: { "open-spiel": fromRecord } });
  expect(tree.informationSets.size).toBe(12);
  const { returns, nashConv } = exploitabilityOf(tree, profileOf(tree, uniformBehavior));
  const known = { "player-0": 1 / 8, "player-1": -1 / 8, nashConv: 11 / 12 };
  expectClose({ ...returns, nashConv }, known, tolerances.float64);
  const other = profileOf(tree, (set) => (set.position === "0" ? passing : uniformBehavior(set)));
  expectDifferent({ ...exploitabilityOf(tree, other).returns, nashConv }, known, tolerances.float64);
});

const passing: ReturnType<typeof uniformBehavior> = { choices: { Pass: 1, Bet: 0 }, illegal: 0 };

test("without the service it has none, and what the service throws is thrown", async () => {
  await expectCode(growTree(kuhn, null), "no-exact-tree");
  const services = { "open-spiel": () => Promise.reject(ended()) };
  await expectCode(growTree(kuhn, null, { services }), "bridge-ended");
});

const ended = (): SparError =>
  new SparError({ code: "bridge-ended", boundary: "service", message: "it ended" });

/** Plays one episode with what the service answers. */
async function play(
  service: Service,
  options: {
    readonly description?: JsonValue;
    readonly reply?: (request: PlayerRequest) => string;
    readonly calls?: number;
  } = {},
): Promise<PlayedEpisode<MatchOutcome>> {
  const { description = recorded.description, reply = (): string => "Bet", calls } = options;
  const match = openSpielMatch(description);
  const player = scriptedPlayer({ name: "script", reply });
  const { signal } = new AbortController();
  const [episode] = await playEpisodes({
    step: unrecordedStep({ random: createRandom(1), signal, clock: systemClock }),
    game: match,
    tasks: [{ id: "task", task: null }],
    seats: Object.fromEntries(match.seats.map((seat) => [seat, player])),
    services: { "open-spiel": service },
    maximumFailedShare: 1,
    ...(calls === undefined ? {} : { limits: { calls } }),
  });
  if (episode === undefined) throw new Error("expected an episode");
  return episode;
}

const historyOf = (input: JsonValue): readonly number[] =>
  z.object({ history: z.array(z.number()) }).parse(input).history;

test("a play asks for each state by its history, chance drawn at the table", async () => {
  const { outcome, calls } = await play(fromRecord);
  expect(outcome).toMatchObject({ forfeitedBy: null });
  expect(Object.values(outcome?.returns ?? {}).toSorted((a, b) => a - b)).toEqual([-2, 2]);
  const histories = calls.map(({ input }) => historyOf(input));
  expect(histories.map(({ length }) => length)).toEqual([0, 1, 2, 3, 4]);
  expect(histories.at(-1)?.slice(2)).toEqual([1, 1]);
});

test("a reply that is none of the legal ones forfeits", async () => {
  const { outcome } = await play(fromRecord, { reply: () => "Raise" });
  expect(outcome).toEqual({
    returns: { "player-0": -2, "player-1": 0 },
    forfeitedBy: "player-0",
    how: "none of the legal replies",
  });
});

test("a service that fails, or answers something else, fails the episode at the boundary of the service", async () => {
  const failing = await play(() => Promise.reject(ended()));
  expect(failing.end).toMatchObject({
    failure: { code: "bridge-ended", boundary: "service", message: expect.stringContaining("it ended") },
  });
  const strange = await play(() => Promise.resolve({ kind: "decision", player: 0 }));
  expect(strange.end).toMatchObject({ failure: { code: "service-unreadable", boundary: "service" } });
  expect(() => openSpielMatch({ game: "kuhn_poker" })).toThrow("expected another answer of the service");
});

test("where the table has no more calls nobody is to blame", async () => {
  const { outcome } = await play(fromRecord, { calls: 2 });
  expect(outcome).toMatchObject({ returns: { "player-0": 0, "player-1": 0 }, forfeitedBy: null });
});

test("a seat that is not told all at once keeps its conversation", async () => {
  const said: string[][] = [];
  const inSight: Service = (input) => {
    const { length } = historyOf(input);
    const legal = [{ action: 7, text: "on" }];
    return Promise.resolve(
      length === 4
        ? { kind: "end", returns: [1, 1] }
        : { kind: "decision", player: length % 2, legal, text: `sight ${length}`, isComplete: false },
    );
  };
  const { outcome } = await play(inSight, {
    description: { ...z.record(z.string(), z.json()).parse(recorded.description), longestGame: 4 },
    reply: ({ history, segments, position }) => {
      expect(position).toBeNull();
      said.push([...history, ...segments].map((one) => (one.kind === "text" ? one.text : "")));
      return "on";
    },
  });
  expect(outcome).toMatchObject({ how: "even", returns: { "player-0": 1, "player-1": 1 } });
  expect(said[2]?.slice(1)).toEqual([
    "sight 0\nYou are player-0. Legal replies: on",
    "on",
    "sight 2\nYou are player-0. Legal replies: on",
  ]);
});

test("the end shows what was hidden; a record of before that shows nothing", async () => {
  const shown = await play(fromRecord);
  expect(shown.outcome?.final).toMatch(/^[012] [012] bb$/u);
  const earlier = await play(async (input, call) => withoutText(await fromRecord(input, call)));
  expect(earlier.outcome).toEqual({ ...shown.outcome, final: undefined });
  expect(Object.keys(earlier.outcome ?? {})).not.toContain("final");
});

function withoutText(state: JsonValue): JsonValue {
  const { text: _text, ...rest } = z.looseObject({ kind: z.string() }).parse(state);
  return rest["kind"] === "end" ? z.json().parse(rest) : state;
}
