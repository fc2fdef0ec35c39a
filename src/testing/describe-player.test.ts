import { describe, expect, test } from "vitest";
import { scriptedPlayer, type Player, type PlayerReply } from "../players/index.ts";
import { playerTestTitles, runPlayerTest, type DescribePlayerOptions } from "./describe-player.ts";

const never = (): Promise<never> => new Promise(() => undefined);
const good: Player = scriptedPlayer({ name: "good", reply: (_request, random) => random.pick(["a", "b"]) });
const waiting: Player = scriptedPlayer({ name: "waiting", reply: never });

const whole: Omit<DescribePlayerOptions, "name"> = {
  createPlayer: () => good,
  createWaitingPlayer: () => waiting,
  isDeterministic: true,
};

const changed = (change: (reply: PlayerReply) => PlayerReply): Player => ({
  ...good,
  reply: async (request, call) => (await good.reply(request, call)).map(change),
});

/** A player for each way to break a promise, and the test that must notice. */
const sabotages: readonly {
  readonly what: string;
  readonly caughtBy: string;
  readonly player: () => Partial<Omit<DescribePlayerOptions, "name">>;
}[] = [
  {
    what: "has no name",
    caughtBy: "says who it is",
    player: () => ({ createPlayer: () => ({ ...good, reference: { ...good.reference, name: " " } }) }),
  },
  {
    what: "claims weights without a version",
    caughtBy: "says who it is",
    player: () => ({ createPlayer: () => ({ ...good, reference: { ...good.reference, kind: "frozen" } }) }),
  },
  {
    what: "answers siblings once",
    caughtBy: "gives one whole reply per sibling",
    player: () => ({
      createPlayer: () => ({
        ...good,
        reply: async (request, call) => (await good.reply(request, call)).slice(0, 1),
      }),
    }),
  },
  {
    what: "has log-probabilities of no ids",
    caughtBy: "gives one whole reply per sibling",
    player: () => ({
      createPlayer: () =>
        changed((reply) => (reply.kind === "limit" ? reply : { ...reply, logprobs: Float32Array.of(-1) })),
    }),
  },
  {
    what: "has ids without weights",
    caughtBy: "gives one whole reply per sibling",
    player: () => ({
      createPlayer: () =>
        changed((reply) =>
          reply.kind === "limit" ? reply : { ...reply, spans: [{ kind: "rendered", tokenIds: [1] }] },
        ),
    }),
  },
  {
    what: "takes choices out of the request",
    caughtBy: "leaves what it is given as it was",
    player: () => ({
      createPlayer: () =>
        scriptedPlayer({ name: "taker", reply: ({ choices }) => (choices as string[]).pop() ?? "" }),
    }),
  },
  {
    what: "keeps a generator of its own",
    caughtBy: "gives the same reply to the same ask, alone or among others",
    player: () => {
      let count = 0;
      return { createPlayer: () => scriptedPlayer({ name: "counter", reply: () => String(count++) }) };
    },
  },
  {
    what: "throws what has no code at a strange prompt",
    caughtBy: "answers any prompt, or refuses it with a code",
    player: () => ({
      createPlayer: () =>
        scriptedPlayer({
          name: "choosy",
          reply: ({ position }) => {
            if (position !== "ab") throw new RangeError("unexpected");
            return "a";
          },
        }),
    }),
  },
  {
    what: "does not hear its signal",
    caughtBy: "stops waiting when its signal fires, before or during",
    player: () => ({ createWaitingPlayer: () => ({ ...waiting, reply: never }) }),
  },
  {
    what: "takes an answer for an end",
    caughtBy: "stops waiting when its signal fires, before or during",
    player: () => ({ createWaitingPlayer: () => good }),
  },
  {
    what: "does not know its deadline",
    caughtBy: "stops waiting at its deadline",
    player: () => ({ createWaitingPlayer: () => ({ ...waiting, reply: never }) }),
  },
];

describe("the suite of players", () => {
  test.each(playerTestTitles)("a good player passes: %s", async (title) => {
    await expect(runPlayerTest(title, whole)).resolves.toBeUndefined();
  });

  test.for(sabotages)("a player that $what is caught", { timeout: 20_000 }, async ({ caughtBy, player }) => {
    const judged = runPlayerTest(caughtBy, { ...whole, ...player() });
    expect(
      await judged.then(
        () => "passed",
        () => "caught",
      ),
    ).toBe("caught");
  });

  test("every test of the suite can fail", () => {
    expect([...new Set(sabotages.map(({ caughtBy }) => caughtBy))].toSorted()).toEqual(
      playerTestTitles.toSorted(),
    );
  });
});
