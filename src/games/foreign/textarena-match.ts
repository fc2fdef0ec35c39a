/**
 * An environment of TextArena as a match. Its rules are asked of the service `textarena`: a state is the
 * environment with its seed and all replies so far. What it shows a player is the prompt: the whole of it
 * anew each time where the environment wraps it in one text, only what is new in the conversation of the
 * seat where it is a `-raw` one. Knows no process and no Python.
 */
import { z } from "zod";
import { present, SparError, type JsonValue } from "../../base/index.ts";
import type { Reply, Segment, Table, TurnView } from "../game.ts";
import { defineMatch, forfeit, type Match, type MatchFacts, type MatchOutcome } from "../match.ts";
import { askService, readAs } from "./ask-service.ts";

export type TextArenaTask = {
  /** Of the environment: cards, words, puzzles. Null draws one for each play. */
  readonly seed: number | null;
};

const service = "textarena";

const descriptionSchema = z.object({
  /** The environment, and the number of players where it was asked for. */
  name: z.string(),
  game: z.string(),
  players: z.int().min(1),
});

const messageSchema = z.object({ from: z.int(), text: z.string(), kind: z.string() });
const askSchema = z.object({ kind: z.literal("ask"), player: z.int().min(0) });
const stateSchema = z.union([
  askSchema.extend({ text: z.string() }),
  askSchema.extend({ messages: z.array(messageSchema) }),
  z.object({
    kind: z.literal("end"),
    returns: z.array(z.number()),
    reason: z.string(),
    /** The player whose invalid move ended it. */
    invalidBy: z.int().nullable(),
    /** What it draws of its state for people; records of earlier versions have none. */
    text: z.string().default(""),
  }),
]);

type Description = z.output<typeof descriptionSchema>;
type State = z.output<typeof stateSchema>;
type Asked = Extract<State, { readonly kind: "ask" }>;
type End = Extract<State, { readonly kind: "end" }>;

/** What TextArena states nowhere: returns are from -1 to 1 by its custom, the rest is what can be said of all. */
const facts: MatchFacts = {
  information: "hidden",
  hasChance: true,
  isZeroSum: false,
  smallestReturn: -1,
  largestReturn: 1,
};
/** Two draws make a seed of 32 bits: what is drawn from a list stands in transcripts. */
const halfSeeds: readonly number[] = Array.from({ length: 2 ** 16 }, (_value, index) => index);
const mostTurns = 1000;

/**
 * Makes a match of what the service says about an environment: `describe("textarena", name)` of
 * `startPythonGames`.
 *
 * @throws `service-unreadable`
 */
export function textArenaMatch(description: JsonValue): Match<TextArenaTask> {
  const known = readAs(descriptionSchema, description, service);
  const seats = seatsOf(known);
  return defineMatch<TextArenaTask>({
    id: `${service}:${known.name}`,
    title: `${known.game} of TextArena`,
    rules: `${known.game} of TextArena, for ${seats.length === 1 ? "one player" : `${seats.length} players`}. The first prompt of each seat tells the rules.`,
    seats,
    facts,
    defaultTask: { seed: null },
    limits: { turns: mostTurns, calls: mostTurns + 1, tokens: mostTurns * 1024, timeMs: 3_600_000 },
    play: (table, task) => playToEnd(table, task, known),
  });
}

function seatsOf({ players }: Description): string[] {
  return Array.from({ length: players }, (_value, index) => `player-${index}`);
}

async function playToEnd(table: Table, task: TextArenaTask, known: Description): Promise<MatchOutcome> {
  const seats = seatsOf(known);
  const seed = task.seed ?? drawSeed(table);
  const replies: string[] = [];
  const lastTurns = new Map<string, TurnView>();
  for (;;) {
    const input = { game: known.game, players: known.players, seed, replies: [...replies] };
    const answer = await askService(table, { service, input, schema: stateSchema });
    if (answer === null) return unfinished(seats);
    const { state } = answer;
    if (state.kind === "end") return endOf(state, seats, known);
    const seat = present(seats[state.player], `the seat of player ${state.player}`);
    const from = "messages" in state ? lastTurns.get(seat) : undefined;
    const reply: Reply<null> = await table.ask(seat, {
      ...askOf(state, from),
      parse: () => null,
      from,
    });
    if (reply.kind === "limit") return forfeit({ seats, facts }, seat, `no reply: ${reply.limit} used up`);
    lastTurns.set(seat, reply.turn);
    replies.push(reply.turn.text);
  }
}

function drawSeed(table: Table): number {
  const high = table.draw("high half of the seed", halfSeeds);
  return high * halfSeeds.length + table.draw("low half of the seed", halfSeeds);
}

function askOf(
  state: Asked,
  from: TurnView | undefined,
): { readonly prompt: readonly Segment[]; readonly choices?: readonly string[] } {
  const text = "text" in state ? state.text.trim() : conversation(state, from);
  const choices = listedMoves(text);
  return {
    prompt: [{ kind: "text", role: "user", text }],
    ...(choices === null ? {} : { choices }),
  };
}

/** What is new; the seat's own words stand before it already. */
function conversation(
  { player, messages }: Extract<Asked, { readonly messages: unknown }>,
  from: TurnView | undefined,
): string {
  const isOwn = ({ kind, from: sender }: (typeof messages)[number]): boolean =>
    from !== undefined && kind === "PLAYER_ACTION" && sender === player;
  return messages
    .filter((message) => !isOwn(message))
    .map(({ from: sender, text }) => `[${sender < 0 ? "GAME" : `Player ${sender}`}] ${text}`)
    .join("\n");
}

/** The moves that an environment lists in its last "Available Moves: '[0]', '[1]'"; null where it lists none. */
export function listedMoves(text: string): readonly string[] | null {
  const line = [...text.matchAll(/^.*\bAvailable (?:Moves|Actions):[ \t]*(.+)$/gmu)].at(-1)?.[1]?.trim();
  if (line === undefined || !/^'?\[[^[\]]+\]'?(?:, *'?\[[^[\]]+\]'?)*$/u.test(line)) return null;
  return [...new Set(line.match(/\[[^[\]]+\]/gu) ?? [])];
}

/** @throws `returns-outside-facts` */
function endOf(end: End, seats: readonly string[], { game }: Description): MatchOutcome {
  const returns = Object.fromEntries(
    seats.map((seat, index) => [seat, present(end.returns[index], `a return of ${seat}`)] as const),
  );
  const outside = Object.values(returns).find(
    (value) => value < facts.smallestReturn || value > facts.largestReturn,
  );
  if (outside !== undefined)
    throw new SparError({
      code: "returns-outside-facts",
      boundary: "service",
      message: `expected ${game} to give from ${facts.smallestReturn} to ${facts.largestReturn}, it gave ${outside}`,
      hint: "few environments of TextArena count points; write a match of your own around the service for this one",
    });
  const invalid = end.invalidBy === null ? null : (seats[end.invalidBy] ?? null);
  // Some environments pay for what was reached before the invalid move: that is no forfeit.
  const forfeitedBy = invalid !== null && returns[invalid] === facts.smallestReturn ? invalid : null;
  const how = end.reason.trim() === "" ? "it ended" : end.reason.trim();
  const final = end.text.trim() === "" ? {} : { final: end.text.trimEnd() };
  return { returns, forfeitedBy, how, ...final };
}

/** Nobody is to blame where the table has no more calls. */
function unfinished(seats: readonly string[]): MatchOutcome {
  const returns = Object.fromEntries(seats.map((seat) => [seat, 0] as const));
  return { returns, forfeitedBy: null, how: "not played to its end: calls or time used up" };
}
