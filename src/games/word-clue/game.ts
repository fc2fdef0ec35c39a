/**
 * Word clue: one seat knows a secret word and gives a clue of one word, the other names the secret; both
 * win together. With closed lists it is a signalling game (Lewis 1969): n words and m clues let the best
 * pair win min(m, n) / n of the games, since each clue leads to one guess; replies at random, for 1 / n,
 * are an equilibrium too. With any word of a dictionary as a clue the best pair always wins.
 */
import type { Reply, Segment, Table } from "../game.ts";
import { defineMatch, forfeit, type Match, type MatchFacts, type MatchOutcome } from "../match.ts";

export type WordClueTask = {
  /** What the secret is drawn from: single words, of letters and digits. */
  readonly words: readonly string[];
  /**
   * The clues that may be given, which both seats know as they know the words. Null: any word that the
   * service `dictionary` knows and that does not give the secret away; then nobody is told the words.
   */
  readonly clues: readonly string[] | null;
  /** Whether prompts tell the rules, for models that read; else the secret or the clue alone. */
  readonly isExplained: boolean;
};

type Seat = "describer" | "guesser";
type Said = { readonly kind: "word"; readonly word: string } | { readonly kind: "unreadable" };

const seats: readonly Seat[] = ["describer", "guesser"];
const facts: MatchFacts = {
  information: "hidden",
  hasChance: true,
  isZeroSum: false,
  smallestReturn: -1,
  largestReturn: 1,
};
const rules =
  "The describer knows a secret word and replies with a clue: one word, which is neither the secret nor contains it nor stands in it. The guesser reads the clue and replies with the word that it takes for the secret. Both win where it is right.";
const longestWord = 40;

export const game: Match<WordClueTask> = defineMatch({
  id: "word-clue",
  title: "Word clue",
  rules,
  seats,
  facts,
  defaultTask: {
    words: ["river", "castle", "winter", "garden", "engine", "letter"],
    clues: ["water", "stone", "snow", "flower", "motor", "paper"],
    isExplained: true,
  },
  limits: { turns: 2, calls: 1, tokens: 1024, timeMs: 3_600_000 },
  play: async (table, task) => {
    checkTask(task);
    const secret = table.draw("secret word", task.words);
    return { ...(await playFor(table, task, secret)), final: `the secret word was ${secret}` };
  },
});

async function playFor(table: Table, task: WordClueTask, secret: string): Promise<MatchOutcome> {
  const clue = await askWord(table, task, { seat: "describer", known: secret, choices: task.clues });
  if (clue.kind === "ended") return clue.outcome;
  const refusal = task.clues === null ? await refuseClue(table, clue.word, secret) : null;
  if (refusal !== null) return refusal;
  const choices = task.clues === null ? null : task.words;
  const guess = await askWord(table, task, { seat: "guesser", known: clue.word, choices });
  if (guess.kind === "ended") return guess.outcome;
  return guess.word.toLowerCase() === secret.toLowerCase()
    ? even(1, "the secret was named")
    : even(0, "another word was named");
}

interface WordAsk {
  readonly seat: Seat;
  /** The secret for the describer, the clue for the guesser. */
  readonly known: string;
  readonly choices: readonly string[] | null;
}

/** The word that a seat says, or how the match ends without one. */
async function askWord(
  table: Table,
  task: WordClueTask,
  { seat, known, choices }: WordAsk,
): Promise<
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "ended"; readonly outcome: MatchOutcome }
> {
  const reply: Reply<Said> = await table.ask(seat, {
    prompt: task.isExplained ? explained(seat, known, task) : [say(known)],
    parse: (text) => readWord(text, choices),
    position: `${seat === "describer" ? "the secret is" : "the clue is"} ${known}`,
    maxTokens: task.isExplained ? 16 : longestWord,
    ...(choices === null ? {} : { choices }),
  });
  const ended = (how: string) => ({ kind: "ended" as const, outcome: forfeit({ seats, facts }, seat, how) });
  if (reply.kind === "limit") return ended(`no reply: ${reply.limit} used up`);
  const said: Said = reply.turn.parsed;
  return said.kind === "unreadable" ? ended("not one word, or none of those allowed") : said;
}

/** How an open clue ends the match; null where it may be given. */
async function refuseClue(table: Table, clue: string, secret: string): Promise<MatchOutcome | null> {
  if (givesAway(clue, secret))
    return forfeit({ seats, facts }, "describer", "the clue gives the secret away");
  const answer = await table.call("dictionary", { word: clue });
  if (answer.kind === "limit") return even(0, `the dictionary was not asked: ${answer.limit} used up`);
  // Nobody's fault at the table: the episode fails, and may be played again.
  if (answer.kind === "failure") throw new Error(`the dictionary failed: ${answer.message}`);
  return answer.output === true ? null : forfeit({ seats, facts }, "describer", "the clue is not a word");
}

function givesAway(clue: string, secret: string): boolean {
  const [one, other] = [clue.toLowerCase(), secret.toLowerCase()];
  return one.includes(other) || other.includes(one);
}

function even(value: number, how: string): MatchOutcome {
  return { returns: { describer: value, guesser: value }, forfeitedBy: null, how };
}

/** One word, with nothing but signs and spaces around it; with choices, one of them as it is written there. */
function readWord(text: string, choices: readonly string[] | null): Said {
  const word = /^[^\p{L}\p{N}]*([\p{L}\p{N}]+)[^\p{L}\p{N}]*$/u.exec(text.slice(0, 2 * longestWord))?.[1];
  if (word === undefined || text.length > 2 * longestWord || word.length > longestWord)
    return { kind: "unreadable" };
  if (choices === null) return { kind: "word", word };
  const listed = choices.find((choice) => choice.toLowerCase() === word.toLowerCase());
  return listed === undefined ? { kind: "unreadable" } : { kind: "word", word: listed };
}

function explained(seat: Seat, known: string, { words, clues }: WordClueTask): Segment[] {
  const lists =
    clues === null ? "" : `The secret is one of: ${words.join(", ")}. Clues may be: ${clues.join(", ")}. `;
  const own =
    seat === "describer"
      ? `You are the describer, and the secret is ${known}. Reply with one clue.`
      : `You are the guesser, and the clue is ${known}. Reply with the secret word.`;
  return [{ kind: "text", role: "system", text: rules }, say(`${lists}${own}`)];
}

function say(text: string): Segment {
  return { kind: "text", role: "user", text };
}

/** A task that cannot be played is a mistake of whoever made it. */
function checkTask({ words, clues }: WordClueTask): void {
  for (const [what, list] of Object.entries({ words, clues: clues ?? ["any"] })) {
    const unlike = new Set(list.map((word) => word.toLowerCase()));
    const isSound = list.every((word) => /^[\p{L}\p{N}]+$/u.test(word) && word.length <= longestWord);
    if (!isSound || list.length === 0 || unlike.size < list.length)
      throw new Error(
        `expected ${what} of letters and digits, of at most ${longestWord} and no two alike, got ${list.join(", ")}`,
      );
  }
  const telling = clues?.find((clue) => words.some((word) => givesAway(clue, word)));
  if (telling !== undefined)
    throw new Error(
      `expected clues that give no word away, got ${telling} with the words ${words.join(", ")}`,
    );
}
