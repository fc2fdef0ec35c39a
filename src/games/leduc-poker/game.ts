/**
 * Leduc poker: six cards, two seats, two rounds of bets with a public card between them. The smallest poker in which
 * what a hand is worth changes during play (Southey et al. 2005, arXiv:1207.1411). It has 936 information sets, suits
 * told apart as in OpenSpiel's `leduc_poker`; with perfect play the first seat gets about -0.0856 chips a game.
 */
import type { Reply, Segment } from "../game.ts";
import { defineMatch, forfeit, type Match, type MatchFacts, type MatchOutcome } from "../match.ts";
import {
  deck,
  isOver,
  largestLossChips,
  legalMoves,
  otherSeat,
  paidBy,
  seatOf,
  seatToMove,
  winnerOf,
  type Card,
  type Move,
  type Round,
  type Seat,
} from "./rules.ts";

export type LeducPokerTask = {
  /** Whether prompts tell the rules, for models that read; else cards and moves alone, for tiny ones. */
  readonly isExplained: boolean;
};

/** `c` checks where there is nothing to call. */
type Letter = "f" | "c" | "r";

const seats: readonly Seat[] = ["first", "second"];
const facts: MatchFacts = {
  information: "hidden",
  hasChance: true,
  isZeroSum: true,
  smallestReturn: -largestLossChips,
  largestReturn: largestLossChips,
};
const rules =
  "The deck is two jacks, two queens and two kings. Both seats pay one chip and get one card, which the other does not see. In each of two rounds of bets first begins, and they reply in turn: f to fold and lose what they paid, c to check or to call, r to raise. A raise pays what the other has paid and more: 2 chips in the first round, 4 in the second, and a round has at most two raises. Nobody folds without a raise to answer. The round ends when a raise is called or both have checked. Then a public card is shown, and after the second round who has its rank wins, else the higher card: king, queen, jack. Equal ranks share the pot.";

export const game: Match<LeducPokerTask> = defineMatch({
  id: "leduc-poker",
  title: "Leduc poker",
  rules,
  seats,
  facts,
  defaultTask: { isExplained: true },
  limits: { turns: 8, calls: 0, tokens: 1024, timeMs: 3_600_000 },
  play: async (table, task) => {
    const first = table.draw("card of first", deck);
    const second = table.draw("card of second", without([first]));
    const cards = { first, second };
    let publicCard: Card | null = null;
    let round: Move[] = [];
    const rounds: Round[] = [round];
    const shown = (outcome: MatchOutcome): MatchOutcome => ({
      ...outcome,
      final: allOf(cards, publicCard, rounds),
    });
    for (;;) {
      const seat = seatToMove(round);
      const view: View = { seat, card: cards[seat], publicCard, rounds };
      const moves = legalMoves(round);
      const reply: Reply<Letter | null> = await table.ask(seat, {
        prompt: task.isExplained ? explained(view, moves) : short(view),
        parse: readLetter,
        choices: moves.map(letterOf),
        position: positionOf(view),
        maxTokens: task.isExplained ? 8 : 1,
      });
      if (reply.kind === "limit")
        return shown(forfeit({ seats, facts }, seat, `no reply: ${reply.limit} used up`));
      const move = moves.find((one) => letterOf(one) === reply.turn.parsed);
      if (move === undefined) return shown(forfeit({ seats, facts }, seat, `none of ${moves.join(", ")}`));
      round.push(move);
      if (move === "fold") return shown(won(otherSeat(seat), rounds, "the other folded"));
      if (!isOver(round)) continue;
      if (publicCard !== null) return shown(showdown(cards, publicCard, rounds));
      publicCard = table.draw("public card", without([first, second]));
      round = [];
      rounds.push(round);
    }
  },
});

/** What a seat knows when it is asked. */
interface View {
  readonly seat: Seat;
  readonly card: Card;
  readonly publicCard: Card | null;
  readonly rounds: readonly Round[];
}

function without(drawn: readonly Card[]): readonly Card[] {
  return deck.filter((card) => !drawn.includes(card));
}

function showdown(
  cards: Readonly<Record<Seat, Card>>,
  publicCard: Card,
  rounds: readonly Round[],
): MatchOutcome {
  const winner = winnerOf(cards, publicCard);
  if (winner === null) return { returns: { first: 0, second: 0 }, forfeitedBy: null, how: "equal ranks" };
  const isPair = cards[winner].charAt(0) === publicCard.charAt(0);
  return won(winner, rounds, isPair ? "a pair" : "the higher card");
}

/** The winner gets what the other has paid. */
function won(winner: Seat, rounds: readonly Round[], how: string): MatchOutcome {
  const chips = paidBy(otherSeat(winner), rounds);
  const returns = {
    first: winner === "first" ? chips : -chips,
    second: winner === "second" ? chips : -chips,
  };
  return { returns, forfeitedBy: null, how };
}

function letterOf(move: Move): Letter {
  if (move === "fold") return "f";
  return move === "raise" ? "r" : "c";
}

/** The first word or letter of the reply; what follows may explain it. */
function readLetter(text: string): Letter | null {
  const word = /^[^\p{L}\d]*(fold|f|check|call|c|raise|r)(?![\p{L}\d])/iu.exec(text)?.[1]?.toLowerCase();
  if (word === undefined) return null;
  if (word.startsWith("f")) return "f";
  return word.startsWith("r") ? "r" : "c";
}

/** Equal exactly where the seat knows the same: its card, all moves, and the public card. */
function positionOf({ card, publicCard, rounds }: View): string {
  return `${card}, ${toldRounds(publicCard, rounds)}`;
}

/** What nobody saw whole before the end. */
function allOf(
  cards: Readonly<Record<Seat, Card>>,
  publicCard: Card | null,
  rounds: readonly Round[],
): string {
  return `first holds ${cards.first}, second holds ${cards.second}; ${toldRounds(publicCard, rounds)}`;
}

function toldRounds(publicCard: Card | null, rounds: readonly Round[]): string {
  const [before = [], after = []] = rounds;
  const start = `first round: ${namesOf(before)}`;
  return publicCard === null ? start : `${start}; public ${publicCard}, second round: ${namesOf(after)}`;
}

function namesOf(round: Round): string {
  return round.length === 0 ? "no moves" : round.join(" ");
}

/** For tiny models: the own card and the moves of the first round, the public card and those of the second. */
function short({ card, publicCard, rounds }: View): Segment[] {
  const [before = "", after = ""] = rounds.map((round) => round.map(letterOf).join(""));
  return [{ kind: "text", role: "user", text: `${card}${before}${publicCard ?? ""}${after}` }];
}

function explained(view: View, moves: readonly Move[]): Segment[] {
  const { seat, card, publicCard, rounds } = view;
  const [before = [], after = []] = rounds;
  const lines = [
    `You are ${seat} and hold ${card}, a ${rankOf(card)}.`,
    `Moves of the first round: ${toldMoves(before)}.`,
    ...(publicCard === null
      ? []
      : [
          `The public card is ${publicCard}, a ${rankOf(publicCard)}.`,
          `Moves of the second round: ${toldMoves(after)}.`,
        ]),
    `You have paid ${paidBy(seat, rounds)}, the other ${paidBy(otherSeat(seat), rounds)}.`,
    `Reply ${moves.map((move) => `${letterOf(move)} to ${move}`).join(" or ")}.`,
  ];
  return [
    { kind: "text", role: "system", text: rules },
    { kind: "text", role: "user", text: lines.join(" ") },
  ];
}

function toldMoves(round: Round): string {
  if (round.length === 0) return "none yet";
  return round.map((move, index) => `${seatOf(index)} ${move}s`).join(", ");
}

function rankOf(card: Card): string {
  if (card.startsWith("J")) return "jack";
  return card.startsWith("Q") ? "queen" : "king";
}
