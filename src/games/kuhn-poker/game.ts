/**
 * Kuhn poker: three cards, two seats, one bet. The smallest poker with bluffing. With perfect play the
 * first seat gets -1/18 a game: it bets J with some probability of at most 1/3, and K three times as
 * often; the second bets J and calls with Q a third of the time (Kuhn 1950).
 */
import type { Reply, Segment, TurnView } from "../game.ts";
import { defineMatch, forfeit, type Match, type MatchFacts, type MatchOutcome } from "../match.ts";

export type KuhnPokerTask = {
  /** Whether prompts tell the rules, for models that read; else the own card and the other's moves alone. */
  readonly isExplained: boolean;
};

type Seat = "first" | "second";
type Card = "J" | "Q" | "K";
type Action = "pass" | "bet";
type Move = { readonly kind: "move"; readonly action: Action } | { readonly kind: "unreadable" };

const seats: readonly Seat[] = ["first", "second"];
/** From lowest to highest. */
const deck: readonly Card[] = ["J", "Q", "K"];
const ranks: Readonly<Record<Card, string>> = { J: "lowest", Q: "middle", K: "highest" };
const facts: MatchFacts = {
  information: "hidden",
  hasChance: true,
  isZeroSum: true,
  smallestReturn: -2,
  largestReturn: 2,
};
const rules =
  "Both seats pay one chip and get one of three cards, which the other does not see. In turn they reply p to pass or b to bet one more chip. After a bet the other passes, and loses its chip, or bets too; then, or when both have passed, the higher card wins all chips.";

export const game: Match<KuhnPokerTask> = defineMatch({
  id: "kuhn-poker",
  title: "Kuhn poker",
  rules,
  seats,
  facts,
  defaultTask: { isExplained: true },
  limits: { turns: 3, calls: 0, tokens: 1024, timeMs: 3_600_000 },
  play: async (table, task) => {
    const firstCard = table.draw("card of first", deck);
    const others = deck.filter((card) => card !== firstCard);
    const cards = { first: firstCard, second: table.draw("card of second", others) };
    const lastTurns = new Map<Seat, TurnView<Move>>();
    const actions: Action[] = [];
    const forfeited = (seat: Seat, how: string): MatchOutcome => ({
      ...forfeit({ seats, facts }, seat, how),
      final: allOf(cards, actions),
    });
    while (!isOver(actions)) {
      const seat = actions.length % 2 === 0 ? "first" : "second";
      const from = lastTurns.get(seat);
      const view: View = { card: cards[seat], actions, isFirstAsk: from === undefined };
      const reply: Reply<Move> = await table.ask(seat, {
        prompt: task.isExplained ? explained(view) : short(view),
        parse: readMove,
        choices: ["p", "b"],
        position: positionOf(view),
        maxTokens: task.isExplained ? 8 : 1,
        from,
      });
      if (reply.kind === "limit") return forfeited(seat, `no reply: ${reply.limit} used up`);
      if (reply.turn.parsed.kind === "unreadable") return forfeited(seat, "unreadable reply");
      actions.push(reply.turn.parsed.action);
      lastTurns.set(seat, reply.turn);
    }
    return { ...payoff(cards, actions), final: allOf(cards, actions) };
  },
});

/** What a seat knows when it is asked. */
interface View {
  readonly card: Card;
  readonly actions: readonly Action[];
  readonly isFirstAsk: boolean;
}

/** A bet was answered, or both have passed. */
function isOver(actions: readonly Action[]): boolean {
  const [last, before] = actions.toReversed();
  return before === "bet" || (before === "pass" && last === "pass");
}

function payoff(cards: Readonly<Record<Seat, Card>>, actions: readonly Action[]): MatchOutcome {
  const [last, before] = actions.toReversed();
  const higher = deck.indexOf(cards.first) > deck.indexOf(cards.second) ? "first" : "second";
  if (before === "bet" && last === "pass")
    return won(actions.length % 2 === 0 ? "first" : "second", 1, "the other passed");
  return won(higher, last === "bet" ? 2 : 1, "the higher card");
}

function won(winner: Seat, chips: number, how: string): MatchOutcome {
  return {
    returns: { first: winner === "first" ? chips : -chips, second: winner === "second" ? chips : -chips },
    forfeitedBy: null,
    how,
  };
}

/** The first word or letter of the reply; what follows may explain it. */
function readMove(text: string): Move {
  const word = /^[^\p{L}\d]*(pass|p|bet|b)(?![\p{L}\d])/iu.exec(text)?.[1]?.toLowerCase();
  if (word === undefined) return { kind: "unreadable" };
  return { kind: "move", action: word.startsWith("p") ? "pass" : "bet" };
}

function positionOf({ card, actions }: View): string {
  return actions.length === 0 ? card : `${card} after ${actions.join(", ")}`;
}

/** What nobody saw whole before the end. */
function allOf(cards: Readonly<Record<Seat, Card>>, actions: readonly Action[]): string {
  const moves = actions.length === 0 ? "no move" : actions.join(", ");
  return `first holds ${cards.first}, second holds ${cards.second}: ${moves}`;
}

/** For tiny models: the own card once, then the other's moves. */
function short({ card, actions, isFirstAsk }: View): Segment[] {
  const previous = actions.at(-1)?.charAt(0) ?? "";
  return [{ kind: "text", role: "user", text: `${isFirstAsk ? card : ""}${previous}` }];
}

function explained({ card, actions, isFirstAsk }: View): Segment[] {
  const opening: Segment[] = isFirstAsk ? [{ kind: "text", role: "system", text: rules }] : [];
  const hand = `You hold ${card}, the ${ranks[card]} of the three cards.`;
  const before = actions.length === 0 ? "You move first." : `Moves so far: ${actions.join(", ")}.`;
  const text = `${hand} ${before} Reply p to pass or b to bet.`;
  return [...opening, { kind: "text", role: "user", text }];
}
