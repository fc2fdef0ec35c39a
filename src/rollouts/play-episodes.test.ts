import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createRandom, SparError, type JsonValue } from "../base/index.ts";
import { defineGame, type Game } from "../games/index.ts";
import { scriptedPlayer, type Player, type PlayerRequest } from "../players/index.ts";
import { expectCode } from "../testing/index.ts";
import { MemoryRecorder, rolloutStep } from "../../test/fixtures/durability/memory-recorder.ts";
import { playEpisodes } from "./play-episodes.ts";
import type { PlayedEpisode, PlayEpisodesOptions } from "./play-options.ts";

const limits = { turns: 50, calls: 50, tokens: 1000, timeMs: 60_000 };
const user = (text: string) => ({ kind: "text" as const, role: "user", text });
const asText = (text: string): string => text;

/** Two seats at once, then one goes on from its own turn; a call in between; chance of the game. */
const duel = defineGame<{ readonly number: number }, { readonly log: string[] }>({
  id: "duel",
  seats: ["first", "second"],
  limits,
  play: async (table, { number }) => {
    const log: string[] = [];
    const [first, second] = await Promise.all(
      ["first", "second"].map((seat) => table.ask(seat, { prompt: [user(`open ${number}`)], parse: asText })),
    );
    if (first?.kind !== "turn" || second?.kind !== "turn") return { log: ["limit"] };
    const called = await table.call("judge", { first: first.turn.text, second: second.turn.text });
    const last = await table.ask("first", {
      prompt: [user("close")],
      from: first.turn,
      parse: (text) => ({ text, length: text.length }),
    });
    log.push(
      first.turn.text,
      second.turn.text,
      called.kind === "output" ? JSON.stringify(called.output) : called.kind,
    );
    log.push(
      last.kind === "turn" ? `${last.turn.parsed.text} ${last.turn.parsed.length}` : last.kind,
      String(table.random("dice").integer(6)),
    );
    return { log };
  },
});

const speaker = (name: string, delay: (request: PlayerRequest) => number = () => 0): Player =>
  scriptedPlayer({
    name,
    reply: async (request, random) => {
      await sleep(delay(request));
      return `${name}:${request.segments.map((segment) => (segment.kind === "text" ? segment.text : "")).join()}:${request.history.length}:${random.integer(100)}`;
    },
  });

const judge = async (input: JsonValue): Promise<JsonValue> => JSON.stringify(input).length;

type DuelOptions = Partial<PlayEpisodesOptions<{ readonly number: number }, { readonly log: string[] }>>;

const playDuels = (
  recorder: MemoryRecorder,
  options: DuelOptions = {},
): Promise<PlayedEpisode<{ readonly log: string[] }>[]> =>
  playEpisodes({
    step: rolloutStep(recorder),
    game: duel,
    tasks: Array.from({ length: 8 }, (_value, number) => ({ id: `t${number}`, task: { number } })),
    seats: { first: speaker("a"), second: speaker("b") },
    services: { judge },
    ...options,
  });

/** An episode without what depends on the clock. */
const content = (episodes: readonly PlayedEpisode[]): unknown =>
  episodes.map(({ start, end, turns, calls }) => ({
    start,
    end,
    turns: turns.map((turn) => ({ ...turn, durationMs: 0 })),
    calls: calls.map((call) => ({ ...call, durationMs: 0 })),
  }));

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

const playOne = async <Outcome extends JsonValue>(
  play: Game<null, Outcome>["play"],
  options: Partial<PlayEpisodesOptions<null, Outcome>> = {},
): Promise<PlayedEpisode<Outcome>> => {
  const [episode] = await playEpisodes({
    step: rolloutStep(new MemoryRecorder()),
    game: defineGame<null, Outcome>({ id: "one", seats: ["one"], limits, play }),
    tasks: [{ id: "t", task: null }],
    seats: { one: speaker("a") },
    maximumFailedShare: 1,
    ...options,
  });
  if (episode === undefined) throw new Error("no episode");
  return episode;
};

const ask = { prompt: [user("x")], parse: asText };

test.each<[string, Game<null, JsonValue>["play"]]>([
  [
    "unknown-seat",
    async (table) => {
      await table.ask("two", ask);
      return null;
    },
  ],
  [
    "unknown-service",
    async (table) => {
      await table.call("nothing", 1);
      return null;
    },
  ],
  ["game-failed", async () => Promise.reject(new TypeError("rules are broken"))],
  [
    "game-failed",
    async (table) => {
      await table.ask("one", {
        ...ask,
        parse: () => {
          throw new Error("no parse");
        },
      });
      return null;
    },
  ],
  ["outcome-not-json", async () => Number.NaN],
  ["outcome-not-json", async () => undefined as never],
  [
    "unknown-turn",
    async (table) => {
      await table.ask("one", {
        ...ask,
        from: {
          turnId: "play/episodes#7:0.0",
          text: "",
          parsed: null,
          finishReason: null,
          meanLogprob: null,
        },
      });
      return null;
    },
  ],
  [
    "game-endless",
    async (table) => {
      for (;;) await table.ask("one", ask);
    },
  ],
])("a game's own fault is told as %s", async (code, play) => {
  expect((await playOne(play)).end).toMatchObject({ kind: "failed", failure: { code, boundary: "game" } });
});

test("a game cannot hide that its player failed", async () => {
  const broken: Player = { ...speaker("a"), reply: async () => Promise.reject(new Error("gone")) };
  const episode = await playOne(
    async (table) =>
      table.ask("one", ask).then(
        () => "fine",
        () => "hidden",
      ),
    { seats: { one: broken } },
  );
  expect(episode.end).toMatchObject({ kind: "failed", failure: { code: "player-failed" } });
});

test("a player that answers with too few replies is refused", async () => {
  const short: Player = { ...speaker("a"), reply: async () => [] };
  expect(
    (await playOne(async (table) => (await table.ask("one", ask)).kind, { seats: { one: short } })).end,
  ).toMatchObject({
    kind: "failed",
    failure: { code: "player-failed", boundary: "player" },
  });
});

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
