/** That bad replies and used-up limits end a game by its rules: for the seat that gave them, never with an error. */
import { expect } from "vitest";
import type { Clock, JsonValue } from "../../base/index.ts";
import type { MatchOutcome } from "../../games/index.ts";
import { scriptedPlayer, type Player, type PlayerRequest } from "../../players/index.ts";
import type { EpisodeLimits } from "../../records/index.ts";
import { expectFactsKept } from "./facts-tests.ts";
import type { GameTest } from "./game-test.ts";
import { endOf, outcomeOf, type GameUnderTest, type Play, type PlayOptions } from "./game-under-test.ts";

const seeds = [1, 2, 3];

/** A bad reply to what was asked; null where it would be a good one. */
type BadReply = (request: PlayerRequest) => string | null;

const unreadable: Readonly<Record<string, string>> = {
  "an empty reply": "",
  "blanks alone": " \n\t ",
  "control characters": "\u0000\u001b[J\u0007",
  "signs without words": "¿?! … 🂡",
  "a megabyte": "a".repeat(1_000_000),
};

export const replyTests: readonly GameTest[] = [
  {
    title: "an illegal, unreadable, empty or huge reply throws nothing, and forfeits a match",
    run: async (game) => {
      for (const task of game.tasks)
        for (const seed of seeds) {
          const legal = await game.play({ task, seed });
          const replies = legal.watch.events.filter(({ kind }) => kind === "reply");
          for (const replyIndex of replies.keys())
            for (const [what, bad] of Object.entries(badReplies(game, legal)))
              await expectAnswered(game, { task, seed, replyIndex, what, bad });
        }
    },
  },
  {
    title: "a limit of every kind ends the game, and in a match counts for the seat that cannot reply",
    run: async (game) => {
      const seed = 1;
      for (const task of game.tasks) {
        const legal = await game.play({ task, seed });
        for (const count of legal.watch.asks.keys()) {
          await expectLimit(game, { task, seed, limits: { turns: count } });
          await expectLimit(game, { task, seed, limits: { tokens: count }, player: tokenPlayer(game) });
          await expectLimit(game, { task, seed, ...outOfTimeAfter(game, count) });
          await expectLimit(game, { task, seed, player: outOfContextAfter(game, count) });
        }
        if (legal.watch.events.some(({ kind }) => kind === "call"))
          expectSoundEnd(game, await game.play({ task, seed, limits: { calls: 0 } }));
      }
    },
  },
];

/** Requires that a play ended by the rules; the outcome of a match, which keeps its facts, else null. */
function expectSoundEnd<Task extends JsonValue>(
  { match }: GameUnderTest<Task>,
  play: Play,
): MatchOutcome | null {
  endOf(play);
  if (match === null) return null;
  const outcome = outcomeOf(play);
  expectFactsKept(match, outcome);
  return outcome;
}

/** Unreadable ones, those that the author names, and what was a choice in another place of this play. */
function badReplies<Task extends JsonValue>(
  game: GameUnderTest<Task>,
  legal: Play,
): Readonly<Record<string, BadReply>> {
  const fixed = [
    ...Object.entries(unreadable),
    ...(game.options.illegalReplies ?? []).map((text) => [`the illegal reply ${text}`, text] as const),
  ].map(([what, text]): [string, BadReply] => [
    what,
    ({ choices }) => (choices?.includes(text) === true ? null : text),
  ]);
  const seen = new Set(legal.watch.asks.flatMap(({ choices }) => choices ?? []));
  const elsewhere: BadReply = ({ choices }) =>
    [...seen].find((choice) => choices?.includes(choice) === false) ?? null;
  return { ...Object.fromEntries(fixed), "a choice of another place": elsewhere };
}

async function expectAnswered<Task extends JsonValue>(
  game: GameUnderTest<Task>,
  place: {
    readonly task: Task;
    readonly seed: number;
    readonly replyIndex: number;
    readonly what: string;
    readonly bad: BadReply;
  },
): Promise<void> {
  const { task, seed, replyIndex, what, bad } = place;
  let replyCount = 0;
  let offender: string | null = null;
  let isListed = false;
  const player = scriptedPlayer({
    name: "bad",
    reply: (request, random) => {
      const text = replyCount++ === replyIndex || request.seat === offender ? bad(request) : null;
      if (text === null) return game.legalReply(request, random);
      offender ??= request.seat;
      isListed ||= request.choices !== null;
      return text;
    },
  });
  const outcome = expectSoundEnd(game, await game.play({ task, seed, player }));
  // Where a game lists no choices, any text may be legal.
  if (outcome !== null && offender !== null && isListed)
    expect(outcome.forfeitedBy, `${what} at ask ${replyIndex} forfeits`).toBe(offender);
}

async function expectLimit<Task extends JsonValue>(
  game: GameUnderTest<Task>,
  options: PlayOptions<Task>,
): Promise<void> {
  const play = await game.play(options);
  const outcome = expectSoundEnd(game, play);
  const { events } = play.watch;
  const limited = events.flatMap((event) =>
    event.kind === "reply" && event.reply.kind === "limit" ? [event.seat] : [],
  );
  const hasLimitedCall = events.some((event) => event.kind === "call" && event.outcome.kind === "limit");
  if (hasLimitedCall) return;
  expect(limited.length, "the limit was met").toBeGreaterThan(0);
  if (outcome !== null)
    expect(limited, "the seat that could not reply forfeits").toContain(outcome.forfeitedBy);
}

/** Replies as a policy does, one token each. */
function tokenPlayer<Task extends JsonValue>(game: GameUnderTest<Task>): Player {
  const random = game.randomPlayer();
  return {
    reference: random.reference,
    reply: async (request, call) => {
      const replies = await random.reply(request, call);
      return replies.map((reply) =>
        reply.kind === "limit"
          ? reply
          : { ...reply, spans: [{ kind: "sampled", tokenIds: [0] }], logprobs: Float32Array.of(-1) },
      );
    },
  };
}

/** Every reply takes a second, and the seconds of the episode are numbered. */
function outOfTimeAfter<Task extends JsonValue>(
  game: GameUnderTest<Task>,
  replyCount: number,
): { readonly player: Player; readonly clock: Clock; readonly limits: Partial<EpisodeLimits> } {
  let nowMs = 0;
  const player = scriptedPlayer({
    name: "slow",
    reply: (request, random) => {
      nowMs += 1000;
      return game.legalReply(request, random);
    },
  });
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  return { player, clock, limits: { timeMs: replyCount * 1000 } };
}

function outOfContextAfter<Task extends JsonValue>(game: GameUnderTest<Task>, replyCount: number): Player {
  const random = game.randomPlayer();
  let askCount = 0;
  return {
    reference: random.reference,
    reply: async (request, call) =>
      askCount++ < replyCount
        ? random.reply(request, call)
        : Array.from({ length: request.count }, () => ({ kind: "limit", limit: "context" })),
  };
}
