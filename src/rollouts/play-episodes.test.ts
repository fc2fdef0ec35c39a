import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createRandom } from "../base/index.ts";
import { defineGame } from "../games/index.ts";
import type { Player } from "../players/index.ts";
import { expectCode } from "../testing/index.ts";
import { MemoryRecorder, rolloutStep } from "../../test/fixtures/durability/memory-recorder.ts";
import {
  asText,
  content,
  judge,
  limits,
  playDuels,
  speaker,
  user,
} from "../../test/fixtures/rollouts/duel.ts";
import { playEpisodes } from "./play-episodes.ts";

test("results come in the order of the tasks and do not depend on who is slow", async () => {
  const quick = await playDuels(new MemoryRecorder());
  const random = createRandom(3);
  const slow = (): number => random.integer(4);
  const slowly = await playDuels(new MemoryRecorder(), {
    seats: { first: speaker("a", slow), second: speaker("b", slow) },
    services: { judge: async (input) => sleep(slow()).then(() => judge(input)) },
    concurrency: 3,
  });
  expect(content(slowly)).toEqual(content(quick));
  expect(quick.map(({ start }) => start.id)).toEqual(
    Array.from({ length: 8 }, (_value, index) => `play/episodes#${index}`),
  );
  expect(quick[0]?.turns.map(({ seat, sequence, contextParent }) => [seat, sequence, contextParent])).toEqual(
    [
      ["first", 0, null],
      ["second", 1, null],
      ["first", 3, "play/episodes#0:0.0"],
    ],
  );
  expect(quick[0]?.calls.map(({ sequence }) => sequence)).toEqual([2]);
  expect(
    new Set(quick.map(({ outcome }) => outcome?.log.at(-1))).size,
    "each episode has chance of its own",
  ).toBeGreaterThan(1);
});

test("a play that is a part of something shows no progress of its own", async () => {
  const shown: string[] = [];
  const progress = { advance: () => undefined, end: () => undefined };
  const recorder = new MemoryRecorder();
  const step = {
    ...rolloutStep(recorder),
    progress: ({ what }: { readonly what: string }) => (shown.push(what), progress),
  };
  await playDuels(recorder, { step, what: null });
  expect(shown).toEqual([]);
  await playDuels(recorder, { step, name: "again" });
  expect(shown).toEqual(["playing duel"]);
});

test("branches of a game that go on by themselves keep their order whatever comes first", async () => {
  const branches = defineGame<null, readonly string[]>({
    id: "branches",
    seats: ["one"],
    limits,
    play: async (table) => {
      const branch = async (name: string): Promise<string> => {
        const texts: string[] = [];
        for (let depth = 0; depth < 3; depth++) {
          const reply = await table.ask("one", { prompt: [user(`${name}${depth}`)], parse: asText });
          texts.push(reply.kind === "turn" ? `${reply.turn.turnId} ${reply.turn.text}` : reply.kind);
        }
        return texts.join(" ");
      };
      return Promise.all(["x", "y", "z"].map(branch));
    },
  });
  const play = async (seed: number): Promise<unknown> => {
    const random = createRandom(seed);
    const [episode] = await playEpisodes({
      step: rolloutStep(new MemoryRecorder()),
      game: branches,
      tasks: [{ id: "t", task: null }],
      seats: { one: speaker("a", () => random.integer(5)) },
    });
    return episode?.outcome;
  };
  const first = await play(1);
  for (const seed of [2, 3, 4]) expect(await play(seed)).toEqual(first);
});

test("an episode that fails is attributed, and the others go on", async () => {
  const failing = (number: number): Player => ({
    ...speaker("b"),
    reply: async (request, call) => {
      if (request.segments.some((segment) => segment.kind === "text" && segment.text === `open ${number}`))
        throw new Error("broke");
      return speaker("b").reply(request, call);
    },
  });
  const played = await playDuels(new MemoryRecorder(), {
    seats: { first: speaker("a"), second: failing(2) },
    maximumFailedShare: 0.2,
  });
  expect(played.map(({ end }) => end.kind)).toEqual([
    "finished",
    "finished",
    "failed",
    ...Array.from({ length: 5 }, () => "finished"),
  ]);
  expect(played[2]?.end).toMatchObject({
    failure: {
      code: "player-failed",
      boundary: "player",
      message: "the player of seat second failed: broke",
    },
  });
  expect(played[2]?.turns, "what was said before is kept").toHaveLength(1);
  const recorder = new MemoryRecorder();
  const error = await expectCode(
    playDuels(recorder, { seats: { first: speaker("a"), second: failing(2) } }),
    "too-many-failures",
  );
  expect(error.facts).toMatchObject({ failedCount: 1, playedCount: 8 });
  expect(recorder.asides, "a resumed run tries it again").toEqual(["play/episodes#2"]);
});

test("a game cannot change the task that others are given", async () => {
  const tasks = [{ id: "t", task: { list: [1] } }];
  const game = defineGame<{ list: number[] }, number>({
    id: "greedy",
    seats: [],
    limits,
    play: async (_table, task) => task.list.push(2),
  });
  await playEpisodes({ step: rolloutStep(new MemoryRecorder()), game, tasks, seats: {} });
  expect(tasks[0]?.task.list).toEqual([1]);
});

test("a cancelled play ends soon, leaves its episodes open, and goes on later", async () => {
  const recorder = new MemoryRecorder();
  const controller = new AbortController();
  const player: Player = {
    ...speaker("b"),
    reply: (_request, call) => {
      if (recorder.episodes.size === 8) controller.abort();
      return new Promise((_resolve, reject) =>
        call.signal?.addEventListener("abort", () => reject(new Error("stopped"))),
      );
    },
  };
  await expectCode(
    playDuels(recorder, {
      step: rolloutStep(recorder, { signal: controller.signal }),
      seats: { first: speaker("a"), second: player },
    }),
    "aborted",
  );
  expect([...recorder.episodes.values()].filter(({ end }) => end !== null)).toEqual([]);
  expect(content(await playDuels(recorder))).toEqual(content(await playDuels(new MemoryRecorder())));
});
