import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { JsonValue } from "../base/index.ts";
import {
  defineMatch,
  forfeit,
  type Match,
  type MatchFacts,
  type MatchOutcome,
  type Table,
  type TurnView,
} from "../games/index.ts";
import { describeGame, gameTestTitles, runGameTest } from "./describe-game.ts";
import type { DescribeGameOptions } from "./games/game-under-test.ts";

const folder = mkdtempSync(join(tmpdir(), "spar-game-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const transcriptOf = (name: string): URL => pathToFileURL(join(folder, `${name}.txt`));

type Gems = { readonly gems: string[] };

/** One rule of the sound game below, broken. */
interface Twist {
  readonly facts?: Partial<MatchFacts>;
  readonly turnLimit?: number;
  readonly before?: (table: Table, task: Gems) => unknown;
  readonly prompt?: (own: string, other: string, turn: number) => string;
  readonly position?: (own: string, turn: number) => string;
  readonly choices?: readonly string[] | null;
  readonly choicesAt?: (turn: number) => readonly string[];
  readonly gems?: string[];
  readonly onNoBell?: () => void;
  readonly parse?: (text: string) => JsonValue;
  readonly afterReply?: (turn: TurnView, table: Table) => unknown;
  readonly onLimit?: (outcome: MatchOutcome) => MatchOutcome;
  readonly onIllegal?: (outcome: MatchOutcome) => MatchOutcome;
  readonly end?: (outcome: MatchOutcome) => MatchOutcome;
}

const seats = ["left", "right"];
const facts: MatchFacts = {
  information: "hidden",
  hasChance: true,
  isZeroSum: true,
  smallestReturn: -1,
  largestReturn: 1,
};
const readGuess = (text: string): JsonValue => (["rarer", "commoner"].includes(text) ? text : null);

/** Each seat gets a gem and says whether the other's is rarer; then each says it again. The last word of left counts. */
function gemGame(twist: Twist = {}): Match<Gems> {
  const match = defineMatch<Gems>({
    id: "gems",
    title: "Gems",
    rules: "Say whether the other holds the rarer gem.",
    seats,
    facts: { ...facts, ...twist.facts },
    defaultTask: { gems: ["opal", "ruby", "diamond"] },
    limits: { turns: twist.turnLimit ?? 4, calls: 1, tokens: 100, timeMs: 60_000 },
    play: async (table, task) => {
      await twist.before?.(table, task);
      const gems = twist.gems ?? dealt(table, task.gems);
      const rung = await table.call("bell", { for: "start" });
      if (rung.kind !== "output") {
        twist.onNoBell?.();
        return { returns: { left: 0, right: 0 }, forfeitedBy: null, how: "no bell" };
      }
      let last: TurnView | null = null;
      for (let turn = 0; turn < 4; turn++) {
        const seat = seats[turn % 2] ?? "";
        const [own = "", other = ""] = turn % 2 === 0 ? gems : gems.toReversed();
        const text = twist.prompt?.(own, other, turn) ?? `you hold ${own}, turn ${turn}`;
        const reply = await table.ask(seat, {
          prompt: [{ kind: "text", role: "user", text }],
          parse: twist.parse ?? readGuess,
          ...(twist.choices === null
            ? {}
            : { choices: twist.choicesAt?.(turn) ?? twist.choices ?? ["rarer", "commoner"] }),
          position: twist.position?.(own, turn) ?? `${own}, turn ${turn}`,
        });
        if (reply.kind === "limit") {
          const limit = forfeit(match, seat, `no reply: ${reply.limit}`);
          return twist.onLimit?.(limit) ?? limit;
        }
        const illegal = forfeit(match, seat, "no guess");
        if (reply.turn.parsed === null) return twist.onIllegal?.(illegal) ?? illegal;
        await twist.afterReply?.(reply.turn, table);
        if (seat === "left") last = reply.turn;
      }
      const isRight =
        (last?.text === "rarer") === task.gems.indexOf(gems[1] ?? "") > task.gems.indexOf(gems[0] ?? "");
      const outcome: MatchOutcome = {
        returns: { left: isRight ? 1 : -1, right: isRight ? -1 : 1 },
        forfeitedBy: null,
        how: isRight ? "right" : "wrong",
      };
      return twist.end === undefined ? outcome : twist.end(outcome);
    },
  });
  return match;
}

function dealt(table: Table, gems: readonly string[]): string[] {
  const left = table.draw("gem of left", gems);
  return [
    left,
    table.draw(
      "gem of right",
      gems.filter((gem) => gem !== left),
    ),
  ];
}

const options = (more: Partial<DescribeGameOptions<Gems>> = {}): DescribeGameOptions<Gems> => ({
  transcript: new URL("games/fixtures/gems.txt", import.meta.url),
  services: { bell: async () => "rings" },
  illegalReplies: ["equal"],
  secrets: ({ draws }) => [
    { hiddenFrom: "right", words: [String(draws["gem of left"])] },
    { hiddenFrom: "left", words: [String(draws["gem of right"])] },
  ],
  ...more,
});

describe("a sound game passes", () => {
  describeGame(gemGame(), options());
});

let playedBefore = 0;

/** Games that break one promise each, by the title of the test that must catch them, with what it then says. */
const broken: Readonly<
  Record<
    string,
    readonly (Twist & {
      readonly what: string;
      readonly says: string;
      readonly options?: Partial<DescribeGameOptions<Gems>>;
    })[]
  >
> = {
  "random play ends within the declared limits, and legal replies never forfeit": [
    {
      what: "throws",
      end: () => {
        throw new Error("broken rules");
      },
      says: "broken rules",
    },
    { what: "needs more turns than it declares", turnLimit: 3, says: "no limit is used up" },
    { what: "refuses what it lists", choices: ["rarer", "equal"], says: "a legal reply was refused" },
    {
      what: "never ends",
      before: async (table) => {
        for (;;) await table.ask("left", { prompt: [], parse: readGuess, choices: ["rarer"] });
      },
      says: "game-endless",
    },
    {
      what: "asks a seat that is not there",
      before: (table) => table.ask("middle", { prompt: [], parse: readGuess, choices: ["rarer"] }),
      says: "unknown-seat",
    },
    {
      what: "calls a service that is not there",
      before: (table) => table.call("dictionary", "gem"),
      says: "unknown-service",
    },
    { what: "asks without choices and without a player who can reply", choices: null, says: "pass `reply`" },
  ],
  "outcomes are JSON, give every seat a return, and keep the stated facts": [
    {
      what: "leaves a seat without a return",
      end: (outcome) => ({ ...outcome, returns: { left: 0 } }),
      says: "every seat has a return",
    },
    {
      what: "pays somebody else",
      end: (outcome) => ({ ...outcome, returns: { ...outcome.returns, bank: 0 } }),
      says: "nobody else",
    },
    { what: "pays more than it states", facts: { largestReturn: 0.5 }, says: "not above largestReturn" },
    { what: "pays less than it states", facts: { smallestReturn: -0.5 }, says: "not below smallestReturn" },
    {
      what: "is not zero-sum although it says so",
      end: (outcome) => ({ ...outcome, returns: { left: 1, right: 0 } }),
      says: "add up to zero",
    },
    {
      what: "returns what JSON cannot hold",
      end: (outcome) => ({ ...outcome, returns: { left: NaN, right: 0 } }),
      says: "outcome-not-json",
    },
    {
      what: "returns more than an outcome",
      end: (outcome) => ({ ...outcome, winner: "left" }),
      says: "winner",
    },
    {
      what: "shows an end without anything to see",
      end: (outcome) => ({ ...outcome, final: " \n" }),
      says: "at final",
    },
    { what: "returns nothing", end: () => undefined as never, says: "outcome-not-json" },
    { what: "does not say how it ended", end: (outcome) => ({ ...outcome, how: "" }), says: "how" },
    {
      what: "lets a stranger forfeit",
      end: () => ({ returns: { left: -1, right: 0 }, forfeitedBy: "bank", how: "away" }),
      says: "sits at the table",
    },
  ],
  "the game draws where it says so, and only there": [
    {
      what: "draws although it says it has no chance",
      facts: { hasChance: false },
      says: "hasChance: false",
    },
    { what: "never draws although it says so", gems: ["opal", "ruby"], says: "no play of 100 drew" },
  ],
  "an illegal, unreadable, empty or huge reply throws nothing, and forfeits a match": [
    {
      what: "throws at what it cannot read",
      parse: (text) => {
        if (readGuess(text) === null) throw new Error("what?");
        return text;
      },
      says: "what?",
    },
    { what: "takes any text for a guess", parse: (text) => text, says: "an empty reply at ask 0 forfeits" },
    {
      what: "takes a long text for a guess",
      parse: (text) => (text.length > 1000 ? "rarer" : readGuess(text)),
      says: "a megabyte at ask 0 forfeits",
    },
    {
      what: "accepts what its author says is illegal",
      parse: (text) => (text === "equal" ? "rarer" : readGuess(text)),
      says: "the illegal reply equal at ask 0 forfeits",
    },
    {
      what: "accepts late what was a choice earlier",
      choicesAt: (turn) => (turn < 2 ? ["rarer", "commoner"] : ["rarer"]),
      says: "a choice of another place at ask 2 forfeits",
    },
    {
      what: "lets the wrong seat pay for a bad reply",
      onIllegal: () => forfeit({ seats, facts }, "left", "somebody spoke nonsense"),
      says: "expected 'left' to be 'right'",
    },
    {
      what: "makes a forfeit cheap",
      onIllegal: (outcome) => ({ ...outcome, returns: { left: 0, right: 0 } }),
      says: "who forfeits gets smallestReturn",
    },
  ],
  "a limit of every kind ends the game, and in a match counts for the seat that cannot reply": [
    {
      what: "lets nobody pay for a missing reply",
      onLimit: (outcome) => ({ ...outcome, forfeitedBy: null, returns: { left: 0, right: 0 } }),
      says: "the seat that could not reply forfeits",
    },
    ...["turns", "tokens", "time", "context"].map((kind) => ({
      what: `throws where the limit of ${kind} is used up`,
      onLimit: (outcome: MatchOutcome): MatchOutcome => {
        if (outcome.how === `no reply: ${kind}`) throw new Error(`no ${kind}`);
        return outcome;
      },
      says: `no ${kind}`,
    })),
    {
      what: "throws where no calls are left",
      onNoBell: () => {
        throw new Error("no bell");
      },
      says: "no bell",
    },
  ],
  "neither the task nor what the table returned is changed": [
    { what: "changes its task", before: (_table, task) => task.gems.push("amber"), says: "the task" },
    {
      what: "changes a reply",
      afterReply: (turn) => Object.assign(turn, { finishReason: "stop" }),
      says: "a reply of left",
    },
  ],
  "the same seed gives the same play": [
    {
      what: "remembers other plays",
      prompt: (own) => `${own}, play ${playedBefore++}`,
      says: "to deeply equal",
    },
  ],
  "a play is told again from its record line by line, and goes on where it was cut": [
    {
      what: "remembers other plays",
      prompt: (own) => `${own}, play ${playedBefore++}`,
      says: "the game did something else",
    },
    {
      what: "is moved by what it parsed before",
      parse: (text) => (readGuess(text) === null ? null : `${text} ${playedBefore++ % 7}`),
      says: "to deeply equal",
    },
  ],
  "what is secret is read by somebody, and never by a seat that must not": [
    {
      what: "shows a gem to the other seat",
      prompt: (own, other) => `you hold ${own}, not ${other}`,
      says: "which is hidden from it",
    },
    {
      what: "shows a gem late",
      prompt: (own, other, turn) => `you hold ${own}${turn === 3 ? ` against ${other}` : ""}`,
      says: "the seat right reads",
    },
    {
      what: "plants no word",
      options: { secrets: () => [{ hiddenFrom: "left", words: ["amber"] }] },
      says: "no planted word was read",
    },
  ],
  "with hidden information equal positions of a seat come with equal words and choices": [
    {
      what: "tells more in a prompt than in the position",
      prompt: (own, other) => `${own}, the other has ${other.length} letters`,
      says: "what is read in position",
    },
    {
      what: "has a position that forgets the gem",
      position: (_own, turn) => `turn ${turn}`,
      says: "what is read in position",
    },
  ],
};

const cases = Object.entries(broken).flatMap(([title, games]) => games.map((game) => ({ ...game, title })));

test.each(cases)("a game that $what is caught", async ({ title, says, options: more, ...twist }) => {
  await expect(runGameTest(title, gemGame(twist), options(more))).rejects.toThrow(says);
});

test("every test of games is shown to fail", () => {
  const shown = [...Object.keys(broken), positionTest, transcriptTest];
  expect(shown.toSorted()).toEqual(gameTestTitles.toSorted());
});

const positionTest = "with perfect information a position determines what follows";
const transcriptTest = "the recorded transcript is what is played, line by line";

/** Take one or two stones of five, the last one wins. */
function stones(twist: {
  readonly position?: (left: number, turn: number) => string;
  readonly choices?: () => string[];
}): Match<null> {
  const match: Match<null> = defineMatch<null>({
    id: "stones",
    title: "Stones",
    rules: "Take one or two stones; who takes the last one wins.",
    seats,
    facts: { ...facts, information: "perfect", hasChance: false },
    defaultTask: null,
    limits: { turns: 5, calls: 0, tokens: 100, timeMs: 1000 },
    play: async (table) => {
      let left = 5;
      for (let turn = 0; ; turn++) {
        const seat = seats[turn % 2] ?? "";
        const choices = twist.choices?.() ?? (left === 1 ? ["1"] : ["1", "2"]);
        const position = twist.position?.(left, turn) ?? `${left} stones`;
        const reply = await table.ask(seat, { prompt: [], parse: Number, choices, position });
        if (reply.kind === "limit" || !choices.includes(reply.turn.text))
          return forfeit(match, seat, "no move");
        left -= reply.turn.parsed;
        const other = seats[(turn + 1) % 2] ?? "";
        if (left <= 0)
          return { returns: { [seat]: 1, [other]: -1 }, forfeitedBy: null, how: "the last stone" };
      }
    },
  });
  return match;
}

test("a position that does not determine what follows is caught", async () => {
  const sound = { transcript: transcriptOf("none") };
  await runGameTest(positionTest, stones({}), sound);
  const vague = stones({ position: (left) => (left > 2 ? "many" : `${left} stones`) });
  await expect(runGameTest(positionTest, vague, sound)).rejects.toThrow('position "many"');
  const unstated = gemGame({ facts: { information: "perfect" } });
  await expect(runGameTest(positionTest, unstated, options())).rejects.toThrow(
    'position "diamond, turn 0" of left',
  );
});

test("a test that does not concern a game is skipped, not passed", async () => {
  await expect(runGameTest(positionTest, gemGame(), options())).rejects.toThrow(
    "skipped: its information is hidden",
  );
  await expect(runGameTest("no such test", gemGame(), options())).rejects.toThrow("no such test");
});

test("hidden information without a list of secrets is refused", async () => {
  const { secrets: _secrets, ...without } = options();
  const title = "what is secret is read by somebody, and never by a seat that must not";
  await expect(runGameTest(title, gemGame(), without)).rejects.toThrow("pass `secrets`");
});

test("a missing transcript is recorded and the test fails once; a changed game fails at the changed line", async () => {
  const own = { ...options(), transcript: transcriptOf("gems") };
  const file = join(folder, "gems.txt");
  await expect(runGameTest(transcriptTest, gemGame(), own)).rejects.toThrow("recorded now");
  expect(existsSync(file)).toBe(true);
  await runGameTest(transcriptTest, gemGame(), own);
  const changed = gemGame({ prompt: (gem) => `in your hand: ${gem}` });
  await expect(runGameTest(transcriptTest, changed, own)).rejects.toThrow("plays otherwise");
  writeFileSync(file, readFileSync(file, "utf8").replace("returns: left", "returns: right"));
  await expect(runGameTest(transcriptTest, gemGame(), own)).rejects.toThrow("plays otherwise");
});
