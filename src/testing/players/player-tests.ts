/**
 * What every player must do, as tests with a title each: called by `describePlayer`, and one by one
 * where it is shown that they can fail. Knows no kind of player.
 */
import { expect } from "vitest";
import { createRandom, isSparError, systemClock, withDeadline } from "../../base/index.ts";
import type { Player, PlayerReply, PlayerRequest } from "../../players/index.ts";

export interface PlayerUnderTest {
  readonly createPlayer: () => Player | Promise<Player>;
  /** One whose reply never comes: its server hangs, its engine stalls, its person does not type. */
  readonly createWaitingPlayer: (() => Player | Promise<Player>) | null;
  /** Over the usual request: what this player needs to be able to answer. */
  readonly request: Partial<PlayerRequest>;
  readonly isDeterministic: boolean;
}

export interface PlayerTest {
  readonly title: string;
  /** What the test needs beside a player that answers. */
  readonly needs?: "waiting" | "determinism";
  readonly run: (player: PlayerUnderTest) => Promise<void>;
}

/** What a player is asked in tests: a prompt of a seat with two listed replies, but for what is given. */
export function playerRequest(more: Partial<PlayerRequest> = {}): PlayerRequest {
  return {
    seat: "first",
    segments: [{ kind: "text", role: "user", text: "ab" }],
    context: [],
    history: [],
    maxTokens: null,
    stopStrings: [],
    force: null,
    choices: ["a", "b"],
    position: "ab",
    count: 1,
    seed: 7,
    ...more,
  };
}

const promptTexts: Readonly<Record<string, string>> = {
  "an empty prompt": "",
  "a prompt of a megabyte": "ab".repeat(500_000),
  "control characters": "a\u0000\u0007\u001b[2J\u001b]0;title\u0007b\r\n\u2028",
  "half a character": "a\ud83d",
};

/** Longer than any player may take to notice that it is not wanted any more. */
const noticeMs = 1000;

export const playerTests: readonly PlayerTest[] = [
  {
    title: "says who it is",
    run: async (under) => {
      const { reference } = await under.createPlayer();
      expect(reference.name.trim(), "a name").not.toBe("");
      const hasWeights = reference.kind === "live" || reference.kind === "frozen";
      expect(reference.version !== null, "a version where it holds weights, else none").toBe(hasWeights);
    },
  },
  {
    title: "gives one whole reply per sibling",
    run: async (under) => {
      for (const count of [1, 2, 5]) {
        const player = await under.createPlayer();
        const replies = await player.reply(playerRequest({ ...under.request, count }), {});
        expect(replies, "one reply per sibling").toHaveLength(count);
        for (const reply of replies) expectWhole(reply, player);
      }
    },
  },
  {
    title: "leaves what it is given as it was",
    run: async (under) => {
      const request = playerRequest({ ...under.request, count: 2 });
      const before = structuredClone(request);
      const player = await under.createPlayer();
      await player.reply(deepFreeze(request), {});
      expect(request).toEqual(before);
    },
  },
  {
    title: "gives the same reply to the same ask, alone or among others",
    needs: "determinism",
    run: async (under) => {
      const player = await under.createPlayer();
      const requests = [1, 2, 3, 4].map((seed) => playerRequest({ ...under.request, seed, count: 2 }));
      const together = await Promise.all(requests.map((request) => player.reply(request, {})));
      const shuffled = createRandom(1).shuffle(requests.map((request, index) => ({ request, index })));
      for (const { request, index } of shuffled)
        expect(await player.reply(request, {}), `seed ${request.seed}`).toEqual(together[index]);
      const another = await under.createPlayer();
      expect(await another.reply(playerRequest({ ...under.request, seed: 1, count: 2 }), {})).toEqual(
        together[0],
      );
    },
  },
  {
    title: "answers any prompt, or refuses it with a code",
    run: async (under) => {
      for (const [what, text] of Object.entries(promptTexts)) {
        const player = await under.createPlayer();
        const segments = [{ kind: "text", role: "user", text } as const];
        const request = playerRequest({ ...under.request, segments, position: text });
        const outcome = await outcomeOf(player, request, {});
        if (outcome.kind === "replies") expect(outcome.replies, what).toHaveLength(1);
        else expect(outcome.code, `${what}: an error with a code, got ${outcome.message}`).not.toBeNull();
      }
    },
  },
  {
    title: "stops waiting when its signal fires, before or during",
    needs: "waiting",
    run: async (under) => {
      const controller = new AbortController();
      const player = await waitingPlayer(under);
      const during = outcomeOf(player, playerRequest(under.request), { signal: controller.signal });
      controller.abort();
      expect(await soon(during)).toMatchObject({ kind: "failure", code: "aborted" });
      const late = outcomeOf(await waitingPlayer(under), playerRequest(under.request), {
        signal: controller.signal,
      });
      expect(await soon(late)).toMatchObject({ kind: "failure", code: "aborted" });
    },
  },
  {
    title: "stops waiting at its deadline",
    needs: "waiting",
    run: async (under) => {
      const startMs = systemClock.monotonicMs();
      const outcome = await soon(
        outcomeOf(await waitingPlayer(under), playerRequest(under.request), { timeoutMs: 30 }),
      );
      expect(outcome).toMatchObject({ kind: "failure", code: "deadline-exceeded" });
      expect(systemClock.monotonicMs() - startMs).toBeGreaterThan(25);
    },
  },
];

/** Text always; ids and log-probabilities that belong together, or neither. */
function expectWhole(reply: PlayerReply, { reference }: Player): void {
  if (reply.kind === "limit") return;
  expect(typeof reply.text).toBe("string");
  const sampledCount = reply.spans.reduce(
    (sum, span) => sum + (span.kind === "sampled" ? span.tokenIds.length : 0),
    0,
  );
  expect(reply.logprobs, "a log-probability per sampled id").toHaveLength(sampledCount);
  expect(
    [...reply.logprobs].every((logprob) => logprob <= 0),
    "log-probabilities are at most 0",
  ).toBe(true);
  if (reference.version === null) expect(reply.spans, "no ids without weights").toEqual([]);
  else expect(reply.sampling, "how it was sampled").not.toBeNull();
}

type Outcome =
  | { readonly kind: "replies"; readonly replies: readonly PlayerReply[] }
  | { readonly kind: "failure"; readonly code: string | null; readonly message: string };

async function outcomeOf(
  player: Player,
  request: PlayerRequest,
  call: Parameters<Player["reply"]>[1],
): Promise<Outcome> {
  try {
    return { kind: "replies", replies: await player.reply(request, call) };
  } catch (thrown) {
    return { kind: "failure", code: isSparError(thrown) ? thrown.code : null, message: String(thrown) };
  }
}

/** @throws `deadline-exceeded` where the player does not notice */
function soon(outcome: Promise<Outcome>): Promise<Outcome> {
  const what = "the end of a reply that nobody wants any more";
  return withDeadline({ boundary: "player", what, timeoutMs: noticeMs }, () => outcome);
}

async function waitingPlayer({ createWaitingPlayer }: PlayerUnderTest): Promise<Player> {
  if (createWaitingPlayer === null) throw new Error("the test needs a player whose reply never comes");
  return createWaitingPlayer();
}

/** Bytes of typed arrays cannot be frozen; those are compared afterwards. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
