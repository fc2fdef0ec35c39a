import { expect, test } from "vitest";
import { describePlayer, expectCode, playerRequest } from "../testing/index.ts";
import type { Player, PlayerRequest } from "./player.ts";
import { profilePlayer } from "./profile-player.ts";

const profile = {
  "X: start": { choices: { "1": 0.2, "2": 0.5, "3": 0 }, illegal: 0.3 },
  "X: sure": { choices: { "1": 0, "2": 1 }, illegal: 0 },
};

const request = (more: Partial<PlayerRequest> = {}): PlayerRequest =>
  playerRequest({ seat: "X", choices: ["1", "2", "3"], position: "start", ...more });

describePlayer({
  name: "a player of a profile",
  createPlayer: () => profilePlayer({ profile }),
  createWaitingPlayer: null,
  isDeterministic: true,
  request: { seat: "X", position: "start" },
});

async function textOf(player: Player, asked: PlayerRequest): Promise<string> {
  const [reply] = await player.reply(asked, {});
  return reply?.kind === "reply" ? reply.text : "no reply";
}

test("replies come as often as the profile says, illegal ones as an empty reply", async () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 2000; seed++) {
    const text = await textOf(profilePlayer({ profile }), request({ seed }));
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  // A standard error is 22 at most: five of them.
  const expected = { "1": 400, "2": 1000, "": 600 };
  expect([...counts.keys()].toSorted()).toEqual(Object.keys(expected).toSorted());
  for (const [text, count] of Object.entries(expected))
    expect(Math.abs((counts.get(text) ?? 0) - count), text).toBeLessThan(110);
});

test("what is certain is always played", async () => {
  for (let seed = 0; seed < 100; seed++)
    expect(await textOf(profilePlayer({ profile }), request({ position: "sure", seed }))).toBe("2");
});

test("it says what it lacks: a position, or this one in the profile", async () => {
  const player = profilePlayer({ profile });
  await expectCode(player.reply(request({ position: null }), {}), "position-missing");
  await expectCode(player.reply(request({ position: "elsewhere" }), {}), "position-unknown");
  await expectCode(player.reply(request({ seat: "O" }), {}), "position-unknown");
});
