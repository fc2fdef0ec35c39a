/**
 * A game of OpenSpiel as a match. Its rules are asked of the service `open-spiel`: a state is the game
 * with its history. Where a position tells all that a seat knows, as OpenSpiel says of most games, exact
 * analysis works, given the service. Knows no process and no Python.
 */
import { z } from "zod";
import { present, type JsonValue } from "../../base/index.ts";
import type { Reply, Segment, Table, TurnView } from "../game.ts";
import { defineMatch, forfeit, type Match, type MatchFacts, type MatchOutcome } from "../match.ts";
import { askService, readAs } from "./ask-service.ts";
import { drawOutcome } from "./draw-outcome.ts";
import { choicesOf, readChoice, type LegalAction } from "./legal-choices.ts";

const service = "open-spiel";

const descriptionSchema = z.object({
  /** As OpenSpiel loads it, with its parameters. */
  game: z.string(),
  title: z.string(),
  players: z.int().min(1),
  isPerfectInformation: z.boolean(),
  hasChance: z.boolean(),
  isZeroSum: z.boolean(),
  smallestReturn: z.number(),
  largestReturn: z.number(),
  longestGame: z.int(),
  mostDraws: z.int(),
});

const stateSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("decision"),
    player: z.int().min(0),
    legal: z.array(z.object({ action: z.int(), text: z.string() })).min(1),
    text: z.string(),
    /** Whether the text tells all that the player ever knew. */
    isComplete: z.boolean(),
  }),
  z.object({
    kind: z.literal("chance"),
    outcomes: z.array(z.object({ action: z.int(), probability: z.number() })).min(1),
  }),
  z.object({
    kind: z.literal("end"),
    returns: z.array(z.number()),
    /** The state with all that was hidden; records of earlier versions have none. */
    text: z.string().default(""),
  }),
]);

type Description = z.output<typeof descriptionSchema>;
type Decision = Extract<z.output<typeof stateSchema>, { readonly kind: "decision" }>;
type End = Extract<z.output<typeof stateSchema>, { readonly kind: "end" }>;

const longestReplyTokens = 64;

/**
 * Makes a match of what the service says about a game: `describe("open-spiel", name)` of
 * `startPythonGames`. Simultaneous moves are asked for one after the other, unseen.
 *
 * @throws `service-unreadable`
 */
export function openSpielMatch(description: JsonValue): Match<null> {
  const known = readAs(descriptionSchema, description, service);
  const turns = Math.max(1, known.longestGame);
  return defineMatch<null>({
    id: `${service}:${known.game}`,
    title: `${known.title} of OpenSpiel`,
    rules: rulesOf(known),
    seats: seatsOf(known),
    facts: factsOf(known),
    defaultTask: null,
    limits: {
      turns,
      calls: turns + Math.max(0, known.mostDraws) + 2,
      tokens: turns * longestReplyTokens,
      timeMs: 3_600_000,
    },
    play: (table) => new OpenSpielPlay(table, known).toEnd(),
  });
}

function rulesOf({ title, game, players }: Description): string {
  const shownPlayers = players === 1 ? "one player" : `${players} players`;
  return `${title}, as OpenSpiel plays ${game}, for ${shownPlayers}. Every prompt shows what the seat knows and lists the legal replies; reply with one of them, as it is written.`;
}

function seatsOf({ players }: Description): string[] {
  return Array.from({ length: players }, (_value, index) => `player-${index}`);
}

function factsOf(known: Description): MatchFacts {
  const { hasChance, isZeroSum, smallestReturn, largestReturn } = known;
  const information = known.isPerfectInformation ? "perfect" : "hidden";
  return { information, hasChance, isZeroSum, smallestReturn, largestReturn };
}

/** One play: what is said in turn, and where the game stands. */
class OpenSpielPlay {
  readonly #table: Table;
  readonly #known: Description;
  readonly #match: { readonly seats: readonly string[]; readonly facts: MatchFacts };
  readonly #history: number[] = [];
  /** Where a text does not tell all, the conversation does. */
  readonly #lastTurns = new Map<string, TurnView>();

  constructor(table: Table, known: Description) {
    this.#table = table;
    this.#known = known;
    this.#match = { seats: seatsOf(known), facts: factsOf(known) };
  }

  async toEnd(): Promise<MatchOutcome> {
    for (;;) {
      const input = { game: this.#known.game, history: [...this.#history] };
      const answer = await askService(this.#table, { service, input, schema: stateSchema });
      if (answer === null) return this.#unfinished();
      const { state } = answer;
      if (state.kind === "end") return this.#end(state);
      if (state.kind === "chance") {
        const label = `chance ${this.#history.length}`;
        this.#history.push(drawOutcome(this.#table, label, state.outcomes));
        continue;
      }
      const seat = present(this.#match.seats[state.player], `the seat of player ${state.player}`);
      const reply = await this.#ask(seat, state);
      if (reply.kind === "limit") return forfeit(this.#match, seat, `no reply: ${reply.limit} used up`);
      if (reply.turn.parsed === null) return forfeit(this.#match, seat, "none of the legal replies");
      this.#history.push(reply.turn.parsed);
    }
  }

  async #ask(seat: string, state: Decision): Promise<Reply<number | null>> {
    const choices = choicesOf(state.legal);
    const from = state.isComplete ? undefined : this.#lastTurns.get(seat);
    const reply: Reply<number | null> = await this.#table.ask(seat, {
      prompt: promptOf({ rules: rulesOf(this.#known), seat, text: state.text, choices, from }),
      parse: (text) => readChoice(text, choices),
      choices: choices.map(({ text }) => text),
      maxTokens: longestReplyTokens,
      ...(state.isComplete ? { position: state.text } : {}),
      from,
    });
    if (reply.kind === "turn") this.#lastTurns.set(seat, reply.turn);
    return reply;
  }

  #end({ returns: values, text }: End): MatchOutcome {
    const { seats } = this.#match;
    const returns = seats.map(
      (seat, index) => [seat, present(values[index], `a return of ${seat}`)] as const,
    );
    const most = Math.max(...returns.map(([, value]) => value));
    const best = returns.filter(([, value]) => value === most).map(([seat]) => seat);
    const isEven = best.length === seats.length && seats.length > 1;
    const how = isEven ? "even" : `${best.join(" and ")} ${best.length === 1 ? "gets" : "get"} ${most}`;
    const final = text.trim() === "" ? {} : { final: text.trimEnd() };
    return { returns: Object.fromEntries(returns), forfeitedBy: null, how, ...final };
  }

  /** Nobody is to blame where the table has no more calls. */
  #unfinished(): MatchOutcome {
    const { seats, facts } = this.#match;
    const nothing = Math.min(Math.max(0, facts.smallestReturn), facts.largestReturn);
    const returns = Object.fromEntries(seats.map((seat) => [seat, nothing] as const));
    return { returns, forfeitedBy: null, how: "not played to its end: calls or time used up" };
  }
}

function promptOf(asked: {
  readonly rules: string;
  readonly seat: string;
  readonly text: string;
  readonly choices: readonly LegalAction[];
  readonly from: TurnView | undefined;
}): Segment[] {
  const { rules, seat, text, choices, from } = asked;
  const listed = choices.map((choice) => choice.text).join("; ");
  const shown = text.trim() === "" ? "" : `${text.trimEnd()}\n`;
  const opening: Segment[] = from === undefined ? [{ kind: "text", role: "system", text: rules }] : [];
  return [
    ...opening,
    { kind: "text", role: "user", text: `${shown}You are ${seat}. Legal replies: ${listed}` },
  ];
}
