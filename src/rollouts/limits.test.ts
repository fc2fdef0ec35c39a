import { expect, test } from "vitest";
import type { JsonValue } from "../base/index.ts";
import type { Player } from "../players/index.ts";
import { ask, judge, playOne, speaker } from "../../test/fixtures/rollouts/duel.ts";

test("limits are replies, not exceptions, and say what is left", async () => {
  const episode = await playOne(
    async (table) => {
      const kinds: string[] = [];
      for (let index = 0; index < 3; index++) {
        const reply = await table.ask("one", ask);
        kinds.push(reply.kind === "limit" ? reply.limit : `left ${table.left.turns}`);
      }
      const called = [await table.call("judge", 1), await table.call("judge", 2)];
      return [...kinds, ...called.map((call) => (call.kind === "limit" ? call.limit : call.kind))];
    },
    { limits: { turns: 2, calls: 1 }, services: { judge } },
  );
  expect(episode.outcome).toEqual(["left 1", "left 0", "turns", "output", "calls"]);
});

test("siblings share a place and an ask, and differ", async () => {
  const episode = await playOne(async (table) => {
    const replies = await table.askSiblings("one", 3, ask);
    return replies.map((reply) => (reply.kind === "turn" ? reply.turn.text : reply.limit));
  });
  expect(episode.turns.map(({ sequence, siblingIndex }) => [sequence, siblingIndex])).toEqual([
    [0, 0],
    [0, 1],
    [0, 2],
  ]);
  expect(new Set(episode.outcome).size).toBe(3);
});

test("a service that fails or hangs is a value for the game, and is on record", async () => {
  const services = {
    failing: async () => Promise.reject(new Error("no")),
    hanging: () => new Promise<JsonValue>(() => undefined),
  };
  const episode = await playOne(
    async (table) =>
      [await table.call("failing", 1), await table.call("hanging", 2)].map((call) =>
        call.kind === "failure" ? call.code : call.kind,
      ),
    { services, callTimeoutMs: 20 },
  );
  expect(episode.outcome).toEqual(["service-failed", "deadline-exceeded"]);
  expect(episode.calls.map(({ failure }) => failure?.boundary)).toEqual(["service", "service"]);
});

test("a player that hangs costs its episode, within the deadline", async () => {
  const hanging: Player = { ...speaker("a"), reply: () => new Promise(() => undefined) };
  const episode = await playOne(async (table) => (await table.ask("one", ask)).kind, {
    seats: { one: hanging },
    replyTimeoutMs: 20,
  });
  expect(episode.end).toMatchObject({
    kind: "failed",
    failure: { code: "deadline-exceeded", boundary: "player" },
  });
});

test("a game that waits for nothing ends within its time", async () => {
  const episode = await playOne(() => new Promise<null>(() => undefined), {
    limits: { timeMs: 10 },
    replyTimeoutMs: 10,
    callTimeoutMs: 10,
  });
  expect(episode.end).toMatchObject({
    kind: "failed",
    failure: { code: "deadline-exceeded", boundary: "game" },
  });
});
