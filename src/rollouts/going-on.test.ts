import { expect, test } from "vitest";
import { SparError } from "../base/index.ts";
import { defineGame, type Game } from "../games/index.ts";
import type { Player } from "../players/index.ts";
import { expectCode } from "../testing/index.ts";
import { MemoryRecorder, rolloutStep } from "../../test/fixtures/durability/memory-recorder.ts";
import {
  ask,
  asText,
  content,
  limits,
  playDuels,
  playOne,
  speaker,
  user,
} from "../../test/fixtures/rollouts/duel.ts";
import { playEpisodes } from "./play-episodes.ts";
import type { PlayedEpisode } from "./play-options.ts";

/** Plays until the process "dies" after so many records, then again from what was recorded. */
async function playInterrupted(
  dieAfter: number,
): Promise<{ readonly episodes: PlayedEpisode[]; readonly asked: number }> {
  const recorder = new MemoryRecorder();
  let recordCount = 0;
  recorder.afterRecord = () => {
    if (++recordCount === dieAfter)
      throw new SparError({ code: "disk-full", boundary: "store", message: "died" });
  };
  await expectCode(playDuels(recorder, { concurrency: 3 }), "disk-full");
  recorder.afterRecord = () => undefined;
  let asked = 0;
  const counted = (player: Player): Player => ({
    ...player,
    reply: (request, call) => (asked++, player.reply(request, call)),
  });
  const episodes = await playDuels(recorder, {
    seats: { first: counted(speaker("a")), second: counted(speaker("b")) },
  });
  return { episodes, asked };
}

test("what was interrupted anywhere goes on from its record and ends the same, asking nothing twice", async () => {
  const whole = content(await playDuels(new MemoryRecorder()));
  for (const dieAfter of [1, 2, 3, 4, 7, 11, 18, 25]) {
    const { episodes, asked } = await playInterrupted(dieAfter);
    expect(content(episodes), `died after ${dieAfter}`).toEqual(whole);
    const recordedTurns = 24 - asked;
    expect(recordedTurns, `died after ${dieAfter}`).toBeGreaterThanOrEqual(
      Math.floor((dieAfter * 3) / 4) - 1,
    );
  }
});

test("finished episodes of an earlier try are not played again", async () => {
  const recorder = new MemoryRecorder();
  const first = await playDuels(recorder);
  const never: Player = { ...speaker("a"), reply: async () => Promise.reject(new Error("asked again")) };
  const again = await playDuels(recorder, {
    seats: { first: never, second: { ...never, reference: speaker("b").reference } },
  });
  expect(content(again)).toEqual(content(first));
});

test("records of other players or tasks are set aside and played anew", async () => {
  const recorder = new MemoryRecorder();
  await playDuels(recorder);
  const again = await playDuels(recorder, { seats: { first: speaker("other"), second: speaker("b") } });
  expect(recorder.asides).toHaveLength(8);
  expect(again[0]?.outcome?.log[0]).toContain("other:");
});

test("a game that departs from its record is refused once, and played anew after that", async () => {
  const recorder = new MemoryRecorder();
  let prompt = "one";
  const moody = defineGame<null, string>({
    id: "moody",
    seats: ["one"],
    limits,
    play: async (table) => {
      const first = await table.ask("one", { prompt: [user(prompt)], parse: asText });
      const second = await table.ask("one", { prompt: [user("second")], parse: asText });
      return first.kind === "turn" && second.kind === "turn" ? first.turn.text : "";
    },
  });
  const play = (): Promise<PlayedEpisode<string>[]> =>
    playEpisodes({
      step: rolloutStep(recorder),
      game: moody,
      tasks: [{ id: "t", task: null }],
      seats: { one: speaker("a") },
    });
  let count = 0;
  recorder.afterRecord = () => {
    if (++count === 1) throw new SparError({ code: "disk-full", boundary: "store", message: "died" });
  };
  await expectCode(play(), "disk-full");
  prompt = "changed";
  expect((await expectCode(play(), "departed-from-record")).message).toContain("play/episodes#0");
  expect((await play())[0]?.outcome).toContain("changed");
});

test("the time of an episode ends as a limit, and the record remembers that it did", async () => {
  const recorder = new MemoryRecorder();
  const hanging: Player = { ...speaker("a"), reply: () => new Promise(() => undefined) };
  const play: Game<null, string>["play"] = async (table) => {
    const first = await table.ask("one", ask);
    const second = await table.ask("one", ask);
    return [first, second].map((reply) => (reply.kind === "limit" ? reply.limit : reply.turn.text)).join();
  };
  const options = { step: rolloutStep(recorder), limits: { timeMs: 30 } };
  expect((await playOne(play, { ...options, seats: { one: hanging } })).outcome).toBe("time,time");
  const [record] = recorder.episodes.values();
  expect(record?.refusals.map(({ sequence }) => sequence)).toEqual([0, 1]);
  if (record !== undefined) record.end = null;
  expect((await playOne(play, options)).outcome, "a quick player does not change what was").toBe("time,time");
});
