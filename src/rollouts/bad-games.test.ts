import { expect, test } from "vitest";
import type { JsonValue } from "../base/index.ts";
import { defineGame, type Game, type Table } from "../games/index.ts";
import type { Player } from "../players/index.ts";
import { expectCode } from "../testing/index.ts";
import { MemoryRecorder, rolloutStep } from "../../test/fixtures/durability/memory-recorder.ts";
import { ask, asText, limits, playOne, speaker, throwWord, user } from "../../test/fixtures/rollouts/duel.ts";
import { playEpisodes } from "./play-episodes.ts";

type Play = Game<null, JsonValue>["play"];

const cyclic: { [key: string]: JsonValue } = {};
cyclic["self"] = cyclic;
const elsewhere = {
  turnId: "play/episodes#7:0.0",
  text: "",
  parsed: null,
  finishReason: null,
  meanLogprob: null,
};

test.each<[string, string, string, Play]>([
  [
    "asks a seat that does not exist",
    "unknown-seat",
    "expected one of the seats one, the game asked two",
    async (table) => table.ask("two", ask).then(() => null),
  ],
  [
    "asks a seat by a name that every object has",
    "unknown-seat",
    "the game asked constructor",
    async (table) => table.ask("constructor", ask).then(() => null),
  ],
  [
    "calls a service that does not exist",
    "unknown-service",
    "expected no service at all, the game called nothing",
    async (table) => table.call("nothing", 1).then(() => null),
  ],
  [
    "calls with what is no JSON",
    "game-failed",
    "expected JSON for the service echo: JSON cannot hold NaN",
    async (table) => table.call("echo", Number.NaN).then(() => null),
  ],
  [
    "asks for no reply",
    "game-failed",
    "expected to ask for 1 or more replies, got 0",
    async (table) => table.askSiblings("one", 0, ask).then(() => null),
  ],
  [
    "asks for half a reply",
    "game-failed",
    "got 1.5",
    async (table) => table.askSiblings("one", 1.5, ask).then(() => null),
  ],
  [
    "throws",
    "game-failed",
    "the game one failed: rules are broken",
    async () => Promise.reject(new TypeError("rules are broken")),
  ],
  [
    "throws before it begins",
    "game-failed",
    "at once",
    () => {
      throw new Error("at once");
    },
  ],
  ["throws a word", "game-failed", "nonsense", async () => throwWord("nonsense")],
  [
    "throws in its parser",
    "game-failed",
    "the game failed to read a reply of seat one: no parse",
    async (table) =>
      table
        .ask("one", {
          ...ask,
          parse: () => {
            throw new Error("no parse");
          },
        })
        .then(() => null),
  ],
  [
    "parses to nothing",
    "game-failed",
    "JSON cannot hold a undefined",
    async (table) => table.ask("one", { ...ask, parse: () => undefined as never }).then(() => null),
  ],
  [
    "returns no number",
    "outcome-not-json",
    "expected the game one to return JSON: JSON cannot hold NaN",
    async () => Number.NaN,
  ],
  [
    "returns nothing",
    "outcome-not-json",
    "expected the game one to return an outcome, got none",
    async () => undefined as never,
  ],
  [
    "returns what holds itself",
    "outcome-not-json",
    "expected the game one to return JSON",
    async () => cyclic,
  ],
  [
    "goes on from a turn of another episode",
    "unknown-turn",
    "got play/episodes#7:0.0",
    async (table) => table.ask("one", { ...ask, from: elsewhere }).then(() => null),
  ],
  [
    "never ends",
    "game-endless",
    "went on asking 1000 times after its limits were used up",
    async (table) => {
      for (;;) await table.ask("one", ask);
    },
  ],
  [
    "never ends, and calls",
    "game-endless",
    "1000 times",
    async (table) => {
      for (;;) await table.call("echo", 1);
    },
  ],
  [
    "ends before it was told what it asked for",
    "game-failed",
    "ended before it was told everything",
    async (table) => {
      void table.ask("one", ask);
      return null;
    },
  ],
])("a game that %s is told as %s: %s", async (_what, code, message, play) => {
  const services = code === "unknown-service" ? {} : { echo: async (input: JsonValue) => input };
  const { end } = await playOne(play, { services });
  expect(end).toMatchObject({ kind: "failed", failure: { code, boundary: "game", retryable: false } });
  expect(end.kind === "failed" && end.failure.message).toContain(message);
});

test.each<[string, Play]>([
  [
    "its player failed",
    async (table) =>
      table.ask("one", ask).then(
        () => "fine",
        () => "hidden",
      ),
  ],
  [
    "it asked a seat that does not exist",
    async (table) =>
      table.ask("two", ask).then(
        () => "fine",
        () => "hidden",
      ),
  ],
  [
    "its parser threw",
    async (table) =>
      table
        .ask("one", {
          ...ask,
          parse: () => {
            throw new Error("no");
          },
        })
        .then(
          () => "fine",
          () => "hidden",
        ),
  ],
])("a game cannot hide that %s", async (_what, play) => {
  const broken: Player = { ...speaker("a"), reply: async () => Promise.reject(new Error("gone")) };
  expect((await playOne(play, { seats: { one: broken } })).end.kind).toBe("failed");
});

test("a game that is not listening yet when a player fails is told later, and the process lives", async () => {
  const failing: Player = { ...speaker("a"), reply: async () => Promise.reject(new Error("gone")) };
  const service = async (): Promise<JsonValue> =>
    new Promise((resolve) => void setImmediate(() => resolve(1)));
  const { end } = await playOne(
    async (table) => {
      const called = table.call("slow", null);
      const asked = table.ask("one", ask);
      await called;
      // A turn of the event loop later, as a game would be that computes for long.
      await table.call("slow", null);
      return (await asked).kind;
    },
    { seats: { one: failing }, services: { slow: service } },
  );
  expect(end).toMatchObject({ failure: { code: "player-failed" } });
});

test("a game that goes on after its end is refused", async () => {
  const left: { table: Table | null } = { table: null };
  await playOne(async (table) => {
    left.table = table;
    return null;
  });
  const late = left.table?.ask("one", ask) ?? Promise.resolve();
  expect((await expectCode(late, "game-failed")).message).toBe("the game went on after its end");
});

test("what a game does with what it gave and was given changes neither record nor replay", async () => {
  const recorder = new MemoryRecorder();
  const play: Play = async (table) => {
    const prompt = [user("x")];
    const asking = table.ask("one", { prompt, parse: (text) => ({ list: [text.length] }) });
    prompt.push(user("more"));
    const first = await asking;
    if (first.kind === "limit") return "limit";
    first.turn.parsed.list.push(99);
    const input = { list: [1] };
    const calling = table.call("echo", input);
    input.list.push(2);
    const called = await calling;
    if (called.kind === "output") Object.assign(called.output as object, { changed: true });
    const second = await table.ask("one", { prompt: [user("y")], from: first.turn, parse: asText });
    return second.kind === "turn" ? second.turn.text : "limit";
  };
  const services = {
    echo: async (input: JsonValue) => {
      Object.assign(input as object, { seen: true });
      return { output: 1 };
    },
  };
  const options = { step: rolloutStep(recorder), services };
  const episode = await playOne(play, options);
  expect(episode.turns[0]?.parsed).toEqual({ list: [episode.turns[0]?.text.length] });
  expect(episode.calls[0]).toMatchObject({ input: { list: [1] }, output: { output: 1 } });
  expect(episode.outcome, "the second ask saw the prompt as it was asked: two words before it").toContain(
    ":y:2:",
  );
  for (const record of recorder.episodes.values()) record.end = null;
  const never: Player = { ...speaker("a"), reply: async () => Promise.reject(new Error("asked again")) };
  expect((await playOne(play, { ...options, seats: { one: never } })).outcome).toEqual(episode.outcome);
});

/** Plays one thing, forgets the end, and plays another as if it were the same game. */
async function departure(recordedPlay: Play, play: Play): Promise<string> {
  const recorder = new MemoryRecorder();
  const services = { echo: async (input: JsonValue) => input };
  const playAs = (one: Play): Promise<unknown> =>
    playEpisodes({
      step: rolloutStep(recorder),
      game: defineGame<null, JsonValue>({ id: "one", seats: ["one", "two"], limits, play: one }),
      tasks: [{ id: "t", task: null }],
      seats: { one: speaker("a"), two: speaker("b") },
      services,
    });
  await playAs(recordedPlay);
  for (const record of recorder.episodes.values()) record.end = null;
  const { message } = await expectCode(playAs(play), "departed-from-record");
  expect(recorder.asides, "it no longer counts").toEqual(["play/episodes#0"]);
  return message;
}

const asks = async (table: Table): Promise<JsonValue> => (await table.ask("one", ask)).kind;
const calls = async (table: Table): Promise<JsonValue> => (await table.call("echo", 1)).kind;

test.each<[string, Play, Play, string]>([
  [
    "asks another seat",
    asks,
    async (table) => (await table.ask("two", ask)).kind,
    "at place 0 an ask of one",
  ],
  [
    "asks with other words",
    asks,
    async (table) => (await table.ask("one", { ...ask, prompt: [user("z")] })).kind,
    "at place 0 an ask of one",
  ],
  [
    "asks for more replies",
    asks,
    async (table) => (await table.askSiblings("one", 2, ask)).length,
    "at place 0 an ask of one",
  ],
  ["calls where it asked", asks, calls, "at place 0 an ask of one"],
  ["asks where it called", calls, asks, "at place 0 a call of echo"],
  [
    "calls with another input",
    calls,
    async (table) => (await table.call("echo", 2)).kind,
    "at place 0 a call of echo",
  ],
  ["ends earlier", asks, async () => null, "the game to go on for 1 more places"],
])(
  "a game that replays differently, since it %s, is refused by name and place",
  async (_what, recorded, play, place) => {
    expect(await departure(recorded, play)).toContain(`episode play/episodes#0 expected ${place}`);
  },
);
