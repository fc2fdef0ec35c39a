import { expect, test } from "vitest";
import type { Player, PlayerReply } from "../players/index.ts";
import type { PlayedEpisode } from "./play-options.ts";
import { MemoryRecorder, rolloutStep } from "../../test/fixtures/durability/memory-recorder.ts";
import { ask, playOne, speaker, throwWord } from "../../test/fixtures/rollouts/duel.ts";
import { longestReplyCharacters } from "./check-replies.ts";

const textOf = (text: string): PlayerReply => ({
  kind: "reply",
  spans: [],
  startsNewContext: false,
  logprobs: new Float32Array(),
  text,
  finishReason: null,
  sampling: null,
});

/** Plays one ask with a player that answers so; what types forbid a player in JavaScript can do. */
async function answerWith(replies: unknown): Promise<PlayedEpisode<string>> {
  const player: Player = { ...speaker("odd"), reply: async () => replies as PlayerReply[] };
  return playOne<string>(
    async (table) => {
      const reply = await table.ask("one", ask);
      return reply.kind === "turn" ? reply.turn.text : reply.limit;
    },
    { seats: { one: player } },
  );
}

const sampled = { kind: "sampled" as const, tokenIds: [1, 2] };

test.each<[string, unknown, string]>([
  ["nothing", undefined, "expected 1 reply of odd, got undefined"],
  ["null", null, "expected 1 reply of odd, got null"],
  ["a word", "word", "expected 1 reply of odd, got a string"],
  ["a reply outside of a list", textOf("x"), "expected 1 reply of odd, got another object"],
  ["no reply", [], "expected 1 reply of odd, got 0"],
  ["too many replies", [textOf("x"), textOf("y")], "expected 1 reply of odd, got 2"],
  ["a hole", [undefined], 'expected a reply of odd with kind "reply" or "limit", got undefined'],
  ["another kind of reply", [{ kind: "thought" }], 'expected a reply of odd with kind "reply" or "limit"'],
  ["no text", [{ ...textOf(""), text: undefined }], "expected a reply of odd with a text, got undefined"],
  ["no spans", [{ ...textOf(""), spans: null }], "expected a reply of odd with spans of ids, got null"],
  ["plain logprobs", [{ ...textOf(""), logprobs: [] }], "a Float32Array of logprobs, got another object"],
  [
    "ids without logprobs",
    [{ ...textOf(""), spans: [sampled] }],
    "a logprob for each of its 2 sampled ids, got 0",
  ],
  [
    "a megabyte and more",
    [textOf("x".repeat(longestReplyCharacters + 1))],
    "at most 1000000 characters, got 1000001",
  ],
])("a player that answers with %s fails its episode, and is told why", async (_what, replies, message) => {
  const { end } = await answerWith(replies);
  expect(end).toMatchObject({ kind: "failed", failure: { code: "player-failed", boundary: "player" } });
  expect(end.kind === "failed" && end.failure.message).toContain(message);
});

test.each<[string, string, string]>([
  ["an empty text", "", ""],
  ["as much as is taken", "x".repeat(longestReplyCharacters), "x".repeat(longestReplyCharacters)],
  ["control characters", "\u0000\u0007\u001B[31m\r\n\u2028", "\u0000\u0007\u001B[31m\r\n\u2028"],
  // Written to the disk it would come back as this, so the game sees this from the beginning.
  ["half a surrogate pair", "a\uD800b", "a\uFFFDb"],
])("a reply of %s is a reply, and the game reads what the record keeps", async (_what, text, read) => {
  const episode = await answerWith([textOf(text)]);
  expect(episode.outcome === read).toBe(true);
  expect(episode.turns[0]?.text === read).toBe(true);
});

test.each<[string, () => Promise<PlayerReply[]>]>([
  [
    "throws at once",
    () => {
      throw new Error("broken");
    },
  ],
  ["throws a word", async () => throwWord("broken")],
  ["rejects", async () => Promise.reject(new TypeError("broken"))],
])("a player that %s is told as its seat's failure", async (_what, reply) => {
  const { end } = await playOne(async (table) => (await table.ask("one", ask)).kind, {
    seats: { one: { ...speaker("a"), reply } },
  });
  expect(end).toMatchObject({
    failure: { code: "player-failed", boundary: "player", message: "the player of seat one failed: broken" },
  });
});

test("a reply that comes after its deadline is dropped: not told, not recorded", async () => {
  const recorder = new MemoryRecorder();
  const late = Promise.withResolvers<PlayerReply[]>();
  const player: Player = { ...speaker("a"), reply: () => late.promise };
  const { end, turns } = await playOne(async (table) => (await table.ask("one", ask)).kind, {
    step: rolloutStep(recorder),
    seats: { one: player },
    replyTimeoutMs: 5,
  });
  late.resolve([textOf("late")]);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(end).toMatchObject({ failure: { code: "deadline-exceeded", boundary: "player" } });
  expect(turns).toEqual([]);
  expect([...recorder.episodes.values()].flatMap((episode) => episode.turns)).toEqual([]);
});
