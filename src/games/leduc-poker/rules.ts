/**
 * The rules of Leduc poker as plain functions: the deck, what a seat may do, when a round of bets is over, who wins the
 * pot and what is in it. For the game beside it. It knows neither table nor prompts, and draws nothing.
 */
export type Seat = "first" | "second";
export type Move = "fold" | "check" | "call" | "raise";
export type Card = (typeof deck)[number];
/** The moves of one round so far. The first seat opens every round, and then they alternate. */
export type Round = readonly Move[];

/** From low to high. Suits, spades and hearts, tell cards apart and decide nothing. */
export const deck = ["Js", "Jh", "Qs", "Qh", "Ks", "Kh"] as const;

const anteChips = 1;
/** What a raise adds in the first round, and in the second. */
const raiseChips = [2, 4] as const;
const raisesPerRound = 2;
/** The most that a seat can lose: the ante, and all raises of both rounds. */
export const largestLossChips: number = anteChips + raisesPerRound * (raiseChips[0] + raiseChips[1]);

export function seatToMove(round: Round): Seat {
  return seatOf(round.length);
}

/** Who makes the move of this index in a round. */
export function seatOf(index: number): Seat {
  return index % 2 === 0 ? "first" : "second";
}

export function otherSeat(seat: Seat): Seat {
  return seat === "first" ? "second" : "first";
}

/** Only who faces a raise can fold, and there is no third raise. */
export function legalMoves(round: Round): Move[] {
  const moves: Move[] = round.at(-1) === "raise" ? ["fold", "call"] : ["check"];
  return raiseCount(round) < raisesPerRound ? [...moves, "raise"] : moves;
}

/** Somebody folded, a raise was called, or both have checked. */
export function isOver(round: Round): boolean {
  const last = round.at(-1);
  return last === "fold" || last === "call" || (last === "check" && round.length === 2);
}

/** Chips that a seat has put in, the ante included. */
export function paidBy(seat: Seat, rounds: readonly Round[]): number {
  return rounds.reduce(
    (paid, round, index) => paid + raisesPaidBy(seat, round) * raiseChips[index === 0 ? 0 : 1],
    anteChips,
  );
}

/** A pair with the public card wins, else the higher rank; null where the ranks are equal. */
export function winnerOf(cards: Readonly<Record<Seat, Card>>, publicCard: Card): Seat | null {
  const first = strength(cards.first, publicCard);
  const second = strength(cards.second, publicCard);
  if (first === second) return null;
  return first > second ? "first" : "second";
}

function raiseCount(round: Round): number {
  return round.filter((move) => move === "raise").length;
}

/** How many raises of a round a seat has paid: its last raise or call paid all up to there. */
function raisesPaidBy(seat: Seat, round: Round): number {
  const lastPaid = round.findLastIndex(
    (move, index) => (move === "raise" || move === "call") && seatOf(index) === seat,
  );
  return raiseCount(round.slice(0, lastPaid + 1));
}

function strength(card: Card, publicCard: Card): number {
  const isPair = card.charAt(0) === publicCard.charAt(0);
  const rank = "JQK".indexOf(card.charAt(0));
  return isPair ? rank + deck.length : rank;
}
