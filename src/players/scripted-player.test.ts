import fc from "fast-check";
import { expect, test } from "vitest";
import { describePlayer, expectCode, playerRequest } from "../testing/index.ts";
import { perfectPlayer, type PerfectPlayerOptions } from "./perfect-player.ts";
import type { Player, PlayerRequest } from "./player.ts";
import { randomPlayer } from "./random-player.ts";
import { scriptedPlayer } from "./scripted-player.ts";

const request = (more: Partial<PlayerRequest> = {}): PlayerRequest =>
  playerRequest({
    seat: "X",
    segments: [{ kind: "text", role: "user", text: "your move" }],
    choices: ["1", "2", "3", "4"],
    position: "start",
    seed: 5,
    ...more,
  });

describePlayer({
  name: "a script",
  createPlayer: () =>
    scriptedPlayer({ name: "dice", reply: (_request, random) => String(random.integer(6)) }),
  createWaitingPlayer: () =>
    scriptedPlayer({ name: "thinker", reply: () => new Promise<never>(() => undefined) }),
  isDeterministic: true,
});

describePlayer({
  name: "a random player",
  createPlayer: () => randomPlayer(),
  createWaitingPlayer: null,
  isDeterministic: true,
});

describePlayer({
  name: "a perfect player",
  createPlayer: () => perfectPlayer({ errorRate: 0.5, optimal: () => ["a", "b"] }),
  createWaitingPlayer: null,
  isDeterministic: true,
});

async function textsOf(player: Player, asked: PlayerRequest): Promise<string[]> {
  const replies = await player.reply(asked, {});
  return replies.map((reply) => (reply.kind === "reply" ? reply.text : reply.kind));
}

/** How often each text comes in so many asks. */
async function countsOf(player: Player, askCount: number): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < askCount; seed++) {
    const [text = ""] = await textsOf(player, request({ seed }));
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

test("a scripted player gives the same reply to the same ask, siblings their own", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const player = scriptedPlayer({
        name: "dice",
        reply: (_request, random) => String(random.integer(1_000_000)),
      });
      const [first, again] = [
        await player.reply(request({ seed, count: 2 }), {}),
        await player.reply(request({ seed, count: 2 }), {}),
      ];
      expect(again).toEqual(first);
      expect(first[0]).not.toEqual(first[1]);
    }),
  );
});

test("a random player gives every listed reply equally often and no other", async () => {
  const counts = await countsOf(randomPlayer(), 2000);
  expect([...counts.keys()].toSorted()).toEqual(["1", "2", "3", "4"]);
  // A standard error is 19: five of them.
  for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(97);
});

test("a random player refuses a game that lists no replies", async () => {
  await expectCode(randomPlayer().reply(request({ choices: null }), {}), "choices-missing");
  await expectCode(randomPlayer().reply(request({ choices: [] }), {}), "choices-missing");
});

const optimal: PerfectPlayerOptions["optimal"] = (seat, position) =>
  seat === "X" && position === "start" ? ["2", "3"] : [];

test("a perfect player plays the best replies of the position, each equally often", async () => {
  const counts = await countsOf(perfectPlayer({ optimal }), 1000);
  expect([...counts.keys()].toSorted()).toEqual(["2", "3"]);
  expect(Math.abs((counts.get("2") ?? 0) - 500)).toBeLessThan(80);
});

test("an error rate is the share of turns that are played at random", async () => {
  const counts = await countsOf(perfectPlayer({ optimal, errorRate: 0.3 }), 2000);
  // Half of the random replies are best ones by chance; a standard error is 16.
  const worse = (counts.get("1") ?? 0) + (counts.get("4") ?? 0);
  expect(Math.abs(worse - 300)).toBeLessThan(80);
  expect(() => perfectPlayer({ optimal, errorRate: 1.2 })).toThrow("errorRate");
});

test("a perfect player says what it lacks: a position, or the solution of this one", async () => {
  const player = perfectPlayer({ optimal });
  await expectCode(player.reply(request({ position: null }), {}), "position-missing");
  await expectCode(player.reply(request({ position: "elsewhere" }), {}), "position-unknown");
  await expectCode(player.reply(request({ seat: "O" }), {}), "position-unknown");
});
