/** The suite of games on one that is no match: a search, whose outcome is what it found. */
import { describe, expect, test } from "vitest";
import { defineGame, type Game, type Reply, type Table } from "../games/index.ts";
import { describeGame, gameTestTitles, runGameTest } from "./describe-game.ts";
import type { DescribeGameOptions } from "./games/game-under-test.ts";

type Hunt = { readonly words: readonly string[] };
type Found = { readonly tried: readonly string[]; readonly chosen: string | null };

/** One rule of the sound search below, broken. */
interface Twist {
  readonly turnLimit?: number;
  readonly hint?: (target: string) => string;
  readonly onUnreadable?: () => void;
  readonly onLimit?: (limit: string) => void;
  readonly afterReplies?: (replies: readonly Reply<string | null>[]) => void;
  readonly end?: (found: Found) => Found;
}

const branches = 3;

/** The seeker proposes three words at once, the keeper, who knows the target, says which is nearest. */
function search(twist: Twist = {}): Game<Hunt, Found> {
  return defineGame<Hunt, Found>({
    id: "search",
    seats: ["seeker", "keeper"],
    limits: { turns: twist.turnLimit ?? branches + 1, calls: 0, tokens: 100, timeMs: 60_000 },
    play: async (table, { words }) => {
      const target = table.draw("target", words);
      const hint = twist.hint?.(target) ?? `a word of ${target.length} letters`;
      const replies = await table.askSiblings("seeker", branches, {
        prompt: [{ kind: "text", role: "user", text: hint }],
        parse: (text) => (/^\w{1,20}$/u.test(text) ? text : null),
      });
      twist.afterReplies?.(replies);
      const tried = replies.flatMap((reply) => {
        if (reply.kind === "limit") twist.onLimit?.(reply.limit);
        else if (reply.turn.parsed === null) twist.onUnreadable?.();
        else return [reply.turn.parsed];
        return [];
      });
      const found = { tried, chosen: await choose(table, { target, tried }, twist) };
      return twist.end?.(found) ?? found;
    },
  });
}

async function choose(
  table: Table,
  { target, tried }: { readonly target: string; readonly tried: readonly string[] },
  twist: Twist,
): Promise<string | null> {
  const text = `the target is ${target}; tried: ${tried.join(", ")}`;
  const reply = await table.ask("keeper", { prompt: [{ kind: "text", role: "user", text }], parse: String });
  if (reply.kind === "turn") return tried.includes(reply.turn.parsed) ? reply.turn.parsed : null;
  twist.onLimit?.(reply.limit);
  return null;
}

const words = ["opal", "ruby", "jade", "onyx"];
const options: DescribeGameOptions<Hunt> = {
  transcript: new URL("games/fixtures/search.txt", import.meta.url),
  tasks: [{ words }],
  reply: ({ seat }, random) => (seat === "keeper" ? "agate" : random.pick(["agate", "beryl"])),
  secrets: ({ draws }) => [{ hiddenFrom: "seeker", words: [String(draws["target"])] }],
};

describe("a sound search passes", () => {
  describeGame(search(), options);
});

const badReplyTest = "an illegal, unreadable, empty or huge reply throws nothing, and forfeits a match";
const limitTest = "a limit of every kind ends the game, and in a match counts for the seat that cannot reply";
let playedBefore = 0;

test.each<Twist & { readonly what: string; readonly title: string; readonly says: string }>([
  {
    what: "needs more turns than it declares",
    title: "random play ends within the declared limits, and legal replies never forfeit",
    turnLimit: 3,
    says: "no limit is used up",
  },
  {
    what: "throws at what it cannot read",
    title: badReplyTest,
    onUnreadable: () => {
      throw new Error("what?");
    },
    says: "what?",
  },
  ...["turns", "tokens", "time", "context"].map((kind) => ({
    what: `throws where the limit of ${kind} is used up`,
    title: limitTest,
    onLimit: (limit: string) => {
      if (limit === kind) throw new Error(`no ${kind}`);
    },
    says: `no ${kind}`,
  })),
  {
    what: "changes a reply",
    title: "neither the task nor what the table returned is changed",
    afterReplies: ([first]) => Object.assign(first ?? {}, { kind: "seen" }),
    says: "a reply of seeker",
  },
  {
    what: "remembers other plays",
    title: "the same seed gives the same play",
    end: (found) => ({ ...found, chosen: `find ${playedBefore++}` }),
    says: "to deeply equal",
  },
  {
    what: "asks otherwise when it is told again",
    title: "a play is told again from its record line by line, and goes on where it was cut",
    hint: () => `play ${playedBefore++}`,
    says: "the game did something else",
  },
  {
    what: "tells the seeker the target",
    title: "what is secret is read by somebody, and never by a seat that must not",
    hint: (target) => `it begins with ${target}`,
    says: "the seat seeker reads",
  },
  {
    what: "is found otherwise than was recorded",
    title: "the recorded transcript is what is played, line by line",
    end: ({ tried }) => ({ tried, chosen: "jade" }),
    says: "plays otherwise",
  },
])("a search that $what is caught", async ({ what: _what, title, says, ...twist }) => {
  await expect(runGameTest(title, search(twist), options)).rejects.toThrow(says);
});

test("what only a match promises does not concern it", async () => {
  const skipped: string[] = [];
  for (const title of gameTestTitles) {
    const failure = await runGameTest(title, search(), options).then(() => null, String);
    if (failure !== null) skipped.push(`${failure}`);
  }
  expect(skipped).toEqual(Array.from({ length: 4 }, () => "Error: skipped: it is no match"));
});

test("a game without a default task needs tasks, and without secrets nothing is looked for", async () => {
  const { tasks: _tasks, secrets: _secrets, ...without } = options;
  await expect(runGameTest(badReplyTest, search(), without)).rejects.toThrow("pass `tasks`");
  const title = "what is secret is read by somebody, and never by a seat that must not";
  await expect(runGameTest(title, search(), without)).rejects.toThrow("skipped: no `secrets`");
});
