import { expect, test } from "vitest";
import { tokens, type PolicyVersion } from "../contract/index.ts";
import { characterTokenizer, plainRenderer } from "../text/index.ts";
import { createFakeEngine, describePlayer, playerRequest, type FakeEngine } from "../testing/index.ts";
import type { Player, PlayerReply, PlayerRequest } from "./player.ts";
import { policyPlayer, type PolicyPlayerOptions } from "./policy-player.ts";

const tokenizer = characterTokenizer({ symbols: "abcdef" });
const renderer = plainRenderer(tokenizer, { suffix: "a" });
const contextLength = 24;

async function setUp(
  more: Partial<PolicyPlayerOptions> = {},
): Promise<{ player: Player; engine: FakeEngine; version: PolicyVersion }> {
  const engine = createFakeEngine();
  const architecture = {
    vocabularySize: tokenizer.vocabularySize,
    contextLength,
    width: 4,
    layerCount: 1,
    headCount: 1,
  };
  const model = await engine.createModel({
    name: "policy",
    from: { kind: "architecture", architecture, seed: 1 },
    tokenizer: tokenizer.definition,
  });
  const version = await model.publish();
  const player = policyPlayer({
    name: "policy",
    kind: "live",
    version,
    engine,
    renderer,
    contextLength,
    sampling: { maxTokens: 6 },
    ...more,
  });
  return { player, engine, version };
}

const request = (more: Partial<PlayerRequest> = {}): PlayerRequest =>
  playerRequest({
    segments: [{ kind: "text", role: "user", text: "bc" }],
    choices: null,
    position: null,
    seed: 5,
    ...more,
  });

describePlayer({
  name: "a policy",
  createPlayer: async () => (await setUp()).player,
  createWaitingPlayer: async () => {
    const { player, engine } = await setUp();
    engine.inject({ kind: "hang", call: "sample", nth: 1 });
    return player;
  },
  isDeterministic: true,
});

async function replyTo(
  player: Player,
  asked: PlayerRequest,
): Promise<Extract<PlayerReply, { kind: "reply" }>> {
  const [reply] = await player.reply(asked, {});
  if (reply?.kind !== "reply") throw new Error("no reply");
  return reply;
}

test("a turn holds the ids of its prompt and those that were sampled, with their log-probabilities", async () => {
  const { player, engine, version } = await setUp();
  const reply = await replyTo(player, request());
  const prompt = tokenizer.encode("bca");
  const [rendered, sampled] = reply.spans;
  expect(rendered).toEqual({ kind: "rendered", tokenIds: prompt });
  const direct = await engine.sample(version, {
    prompt: [tokens(prompt)],
    parameters: { maxTokens: 6, seed: 5, stopTokenIds: renderer.stopTokenIds },
  });
  expect(sampled).toEqual({ kind: "sampled", tokenIds: direct.sequences[0]?.tokenIds });
  expect(reply.logprobs).toEqual(direct.sequences[0]?.logprobs);
  expect(reply.sampling).toEqual({ temperature: 1, topP: 1, topK: 0, maxTokens: 6, seed: 5 });
  expect(player.reference).toEqual({ kind: "live", name: "policy", version });
});

test("a context is extended by its ids, never rendered anew", async () => {
  const { player, engine } = await setUp();
  // Ids that no rendering of a text would give: an end in the middle.
  const context = [tokens([1, renderer.stopTokenIds[0] ?? 0, 2])];
  let prompt: unknown;
  const spied = policyPlayer({
    name: "policy",
    kind: "frozen",
    version: player.reference.version ?? { modelId: "", number: 1, address: "", digest: null },
    engine: {
      sample: (version, asked, call) => ((prompt = asked.prompt), engine.sample(version, asked, call)),
    },
    renderer,
    contextLength,
    sampling: { maxTokens: 2 },
  });
  const reply = await replyTo(spied, request({ context }));
  expect(prompt).toEqual([...context, tokens(tokenizer.encode("bca"))]);
  expect(reply.startsNewContext).toBe(false);
  expect((await replyTo(spied, request())).startsNewContext).toBe(true);
});

test("what a game puts into the mouth is marked as forced, is in the text, and has no log-probability", async () => {
  const { player } = await setUp();
  const reply = await replyTo(player, request({ force: "def" }));
  expect(reply.spans.map(({ kind }) => kind)).toEqual(["rendered", "forced", "sampled"]);
  expect(reply.text.startsWith("def")).toBe(true);
  const sampled = reply.spans[2];
  expect(reply.logprobs).toHaveLength(sampled?.kind === "sampled" ? sampled.tokenIds.length : -1);
});

test("the text ends before a stop that the game named, the ids do not", async () => {
  const { player } = await setUp({ sampling: { maxTokens: 20 } });
  const whole = await replyTo(player, request());
  const stop = whole.text[2] ?? "";
  const cut = await replyTo(player, request({ stopStrings: [stop] }));
  expect(cut.text).toBe(whole.text.slice(0, whole.text.indexOf(stop)));
  expect(cut.finishReason).toBe("stop");
  expect(cut.logprobs.length).toBe(cut.text.length + 1);
});

test("a reply takes what the context leaves, the player allows and the game asks for, whichever is least", async () => {
  const { player } = await setUp();
  const lengthOf = async (more: Partial<PlayerRequest>): Promise<number | undefined> =>
    (await replyTo(player, request(more))).sampling?.maxTokens;
  expect(await lengthOf({})).toBe(6);
  expect(await lengthOf({ maxTokens: 2 })).toBe(2);
  expect(await lengthOf({ maxTokens: 50 })).toBe(6);
  expect(await lengthOf({ context: [tokens(Array.from({ length: 18 }, () => 1))] })).toBe(3);
});

test("a prompt that fills the context is a limit for every sibling", async () => {
  const { player } = await setUp();
  const full = request({ count: 2, context: [tokens(Array.from({ length: contextLength }, () => 1))] });
  expect(await player.reply(full, {})).toEqual([
    { kind: "limit", limit: "context" },
    { kind: "limit", limit: "context" },
  ]);
});

test("siblings come one by one, and an engine's failure keeps its name", async () => {
  const { player, engine } = await setUp();
  const replies = await player.reply(request({ count: 3 }), {});
  expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(3);
  await engine.close();
  await expect(player.reply(request(), {})).rejects.toMatchObject({ code: "engine-closed" });
});
