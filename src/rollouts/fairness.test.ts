import fc from "fast-check";
import { expect, test } from "vitest";
import { systemClock, type JsonValue } from "../base/index.ts";
import type { Engine } from "../contract/index.ts";
import { defineGame } from "../games/index.ts";
import { policyPlayer, type Player } from "../players/index.ts";
import { createFakeEngine, ManualTimer, nextTurn } from "../testing/index.ts";
import { characterTokenizer, plainRenderer } from "../text/index.ts";
import { MemoryRecorder, rolloutStep } from "../../test/fixtures/durability/memory-recorder.ts";
import { ask, content, judge, limits, playDuels, speaker, user } from "../../test/fixtures/rollouts/duel.ts";
import { playEpisodes } from "./play-episodes.ts";
import type { PlayedEpisode } from "./play-options.ts";

const turnsPerEpisode = 4;

const monologue = defineGame<null, number>({
  id: "monologue",
  seats: ["speaker"],
  limits: { ...limits, turns: 100_000 },
  play: async (table) => {
    for (let turn = 0; turn < turnsPerEpisode; turn++)
      await table.ask("speaker", { prompt: [user("b")], parse: (text) => text.length, maxTokens: 2 });
    return turnsPerEpisode;
  },
});

async function speakerOn(engine: Engine): Promise<Player> {
  const tokenizer = characterTokenizer({ symbols: "abc" });
  const { vocabularySize } = tokenizer;
  const architecture = { vocabularySize, contextLength: 32, width: 4, layerCount: 1, headCount: 1 };
  const model = await engine.createModel({
    name: "speaker",
    from: { kind: "architecture", architecture, seed: 1 },
  });
  const version = await model.publish();
  const renderer = plainRenderer(tokenizer, { suffix: "a" });
  return policyPlayer({
    name: "speaker",
    kind: "live",
    version,
    engine,
    renderer,
    contextLength: 32,
    sampling: { maxTokens: 2 },
  });
}

/** Plays on an engine that answers batches, moving its time on by hand; `look` is called after each batch. */
async function playInBatches(
  options: { readonly episodeCount: number; readonly size: number },
  look: (recorder: MemoryRecorder) => void,
): Promise<{ readonly tookMs: number; readonly played: PlayedEpisode<number>[] }> {
  const timer = new ManualTimer();
  const engine = createFakeEngine({ sampleBatch: { size: options.size, durationMs: 50 }, timer });
  const recorder = new MemoryRecorder();
  const state = { isDone: false };
  const playing = playEpisodes({
    step: rolloutStep(recorder),
    game: monologue,
    tasks: Array.from({ length: options.episodeCount }, (_value, index) => ({ id: `${index}`, task: null })),
    seats: { speaker: await speakerOn(engine) },
    maximumFailedShare: 0,
  }).finally(() => (state.isDone = true));
  await nextTurn();
  while (!state.isDone) {
    await timer.advance(50);
    look(recorder);
  }
  return { tookMs: timer.nowMs, played: await playing };
}

test("hundreds of episodes keep an engine that answers in batches as busy as it can be", async () => {
  const { tookMs, played } = await playInBatches({ episodeCount: 400, size: 16 }, () => undefined);
  expect(played.every(({ outcome }) => outcome === turnsPerEpisode)).toBe(true);
  const leastMs = ((400 * turnsPerEpisode) / 16) * 50;
  expect(tookMs).toBeGreaterThanOrEqual(leastMs);
  expect(tookMs).toBeLessThanOrEqual(1.2 * leastMs);
});

test("no episode starves on a slow engine: none is ever more than two turns behind another", async () => {
  const spreads: number[] = [];
  await playInBatches({ episodeCount: 60, size: 8 }, ({ episodes }) => {
    const counts = [...episodes.values()].map(({ turns }) => turns.length);
    spreads.push(Math.max(...counts) - Math.min(...counts));
  });
  expect(spreads.length).toBeGreaterThanOrEqual(30);
  expect(Math.max(...spreads)).toBeLessThanOrEqual(2);
});

test("episodes whose players answer at once leave the event loop its turn, also within one long episode", async () => {
  // A clock that moves with every look: no real time is measured.
  let lookCount = 0;
  const clock = { ...systemClock, monotonicMs: () => (lookCount += 0.1) };
  const long = defineGame<null, null>({
    ...monologue,
    play: async (table) => {
      for (let turn = 0; turn < 5000; turn++) await table.ask("speaker", ask);
      return null;
    },
  });
  let roundCount = 0;
  let isDone = false;
  const count = (): void => {
    roundCount++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await playEpisodes({
    step: rolloutStep(new MemoryRecorder(), { clock }),
    game: long,
    tasks: [{ id: "t", task: null }],
    seats: { speaker: { ...speaker("a"), reply: quick } },
    limits: { timeMs: 1e9 },
  });
  isDone = true;
  expect(roundCount).toBeGreaterThan(50);
});

const quick: Player["reply"] = async () => [
  {
    kind: "reply",
    spans: [],
    startsNewContext: false,
    logprobs: new Float32Array(),
    text: "now",
    finishReason: null,
    sampling: null,
  },
];

test("a slow seat holds up neither the other seat nor the other episodes", async () => {
  const recorder = new MemoryRecorder();
  const released = Promise.withResolvers<void>();
  const slow: Player = {
    ...speaker("b"),
    reply: async (request, call) => {
      if (request.segments.some((segment) => segment.kind === "text" && segment.text === "open 2"))
        await released.promise;
      return speaker("b").reply(request, call);
    },
  };
  const playing = playDuels(recorder, { seats: { first: speaker("a"), second: slow }, concurrency: 2 });
  const isStuck = (): boolean =>
    [...recorder.episodes.values()].filter(({ end }) => end !== null).length === 7;
  while (!isStuck()) await nextTurn();
  const held = recorder.episodes.get("play/episodes#2");
  expect(
    held?.turns.map(({ turn }) => turn.seat),
    "the other seat was heard meanwhile",
  ).toEqual(["first"]);
  released.resolve();
  expect(content(await playing)).toEqual(content(await playDuels(new MemoryRecorder())));
});

/** Waits so many rounds of the event loop. */
async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round++)
    await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** What a recorder keeps, timings aside, in an order of its own. */
function kept(recorder: MemoryRecorder): unknown {
  return [...recorder.episodes.values()]
    .map(({ start, end, turns, calls }) => ({
      start,
      end,
      turns: turns
        .map(({ turn, ask: digest }) => ({ ...turn, durationMs: 0, digest }))
        .toSorted((a, b) => a.sequence - b.sequence),
      calls: calls.map(({ call }) => ({ ...call, durationMs: 0 })),
    }))
    .toSorted((a, b) => (a.start.id < b.start.id ? -1 : 1));
}

test("whatever order replies and calls come in, results and records are the same", async () => {
  const plain = new MemoryRecorder();
  const expected = content(await playDuels(plain));
  const delays = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(delays, fc.integer({ min: 1, max: 8 }), async (waits, concurrency) => {
      let place = 0;
      const wait = (): Promise<void> => rounds(waits[place++ % waits.length] ?? 0);
      const delayed = (player: Player): Player => ({
        ...player,
        reply: async (request, call) => wait().then(() => player.reply(request, call)),
      });
      const recorder = new MemoryRecorder();
      const played = await playDuels(recorder, {
        seats: { first: delayed(speaker("a")), second: delayed(speaker("b")) },
        services: { judge: async (input: JsonValue) => wait().then(() => judge(input)) },
        concurrency,
      });
      expect(content(played)).toEqual(expected);
      expect(kept(recorder)).toEqual(kept(plain));
    }),
    { numRuns: 25 },
  );
});

test("a game whose branches take different ways to their asks has the same order with players of any speed", async () => {
  const uneven = defineGame<null, readonly string[]>({
    ...monologue,
    id: "uneven",
    play: async (table) => {
      const branch = async (name: string, hops: number): Promise<string> => {
        const ids: string[] = [];
        for (let depth = 0; depth < 3; depth++) {
          for (let hop = 0; hop < hops; hop++) await Promise.resolve();
          const reply = await table.ask("speaker", { ...ask, prompt: [user(`${name}${depth}`)] });
          ids.push(reply.kind === "turn" ? `${name}${depth}=${reply.turn.turnId}` : reply.limit);
        }
        return ids.join(" ");
      };
      return Promise.all([branch("x", 40), branch("y", 0), branch("z", 9)]);
    },
  });
  const play = async (waits: readonly number[]): Promise<unknown> => {
    let place = 0;
    const player: Player = {
      ...speaker("a"),
      reply: async (request, call) =>
        rounds(waits[place++ % waits.length] ?? 0).then(() => quick(request, call)),
    };
    const [episode] = await playEpisodes({
      step: rolloutStep(new MemoryRecorder()),
      game: uneven,
      tasks: [{ id: "t", task: null }],
      seats: { speaker: player },
    });
    return episode?.outcome;
  };
  const first = await play([0]);
  for (const waits of [[1], [3, 0, 1], [0, 5], [2, 7, 0, 0, 1]]) expect(await play(waits)).toEqual(first);
});

test("an episode counts as done once its end is written, and holds up no other until then", async () => {
  const recorder = new MemoryRecorder();
  const written = Promise.withResolvers<void>();
  const end = recorder.end.bind(recorder);
  recorder.end = async (episodeId, how) => {
    if (episodeId.endsWith("#0")) await written.promise;
    await end(episodeId, how);
  };
  const done: number[] = [];
  const progress = { advance: (count = 1) => void done.push(count), end: () => undefined };
  const step = { ...rolloutStep(recorder), progress: () => progress };
  const playing = playDuels(recorder, { step, concurrency: 2 });
  while (done.length < 7) await nextTurn();
  expect(recorder.episodes.get("play/episodes#0")?.end).toBeNull();
  written.resolve();
  await playing;
  expect(done).toHaveLength(8);
});
