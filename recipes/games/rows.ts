/**
 * From finished games to training rows: every seat's moves are one row, and every move's advantage is
 * the seat's return minus what is usual for that role. What is usual is the question: see `baseline`.
 */
import type { Datum } from "spar/contract";
import type { MatchOutcome } from "spar/games";
import {
  initialMovingAverage,
  movingAverageAdvantages,
  groupAdvantages,
  type MovingAverage,
} from "spar/losses";
import type { Turn } from "spar/records";
import type { PlayedEpisode } from "spar/rollouts";
import { contextChain, datumFromTurns } from "spar/text";
import type { GamesOptions } from "./options.ts";

/** One move of the learner, with what its seat got in the end. */
interface Move {
  readonly turn: Turn;
  /** Replies that its seat had given before in the game, learned or not. */
  readonly moveIndex: number;
  readonly seatReturn: number;
  /** Everything that the seat had seen and said before the move. */
  readonly history: string;
}

/** A moving average per seat; JSON, so that it can be a state of the run. */
export type RoleBaselines = { readonly [seat: string]: MovingAverage };

export interface SeatRows {
  readonly seat: string;
  readonly rows: readonly Datum[];
}

/** Rows of the seats that `learns` names in a game, by seat. Failed games are left out. */
export function rowsOf(
  games: readonly { readonly episode: PlayedEpisode<MatchOutcome>; readonly learners: readonly string[] }[],
  options: Pick<GamesOptions, "baseline" | "baselineDecay"> & { readonly baselines: RoleBaselines },
): { readonly seats: readonly SeatRows[]; readonly baselines: RoleBaselines } {
  const chains = games.flatMap(({ episode, learners }) =>
    learners.flatMap((seat) => seatChain(episode, seat)),
  );
  const moves = chains.flatMap(({ moves: ofChain }) => ofChain);
  const { advantages, baselines } = advantagesOf(moves, options);
  const byTurn = new Map(moves.map(({ turn }, index) => [turn.id, advantages[index] ?? 0]));
  const rows = chains.map(({ seat, turns }) => ({
    seat,
    row: datumFromTurns(turns, { advantages: (turn) => byTurn.get(turn.id) ?? 0 }),
  }));
  const seats = [...Map.groupBy(rows, ({ seat }) => seat)].map(([seat, ofSeat]) => ({
    seat,
    rows: ofSeat.map(({ row }) => row),
  }));
  return { seats, baselines };
}

function seatChain(
  { outcome, turns }: PlayedEpisode<MatchOutcome>,
  seat: string,
): { readonly seat: string; readonly turns: readonly Turn[]; readonly moves: readonly Move[] }[] {
  const last = turns.findLast((turn) => turn.seat === seat);
  // Who has no ids, such as a random player that opened the game in this seat, cannot learn.
  if (outcome === null || last === undefined || last.spans.length === 0) return [];
  const chain = contextChain(last.id, turns);
  const seatReturn = outcome.returns[seat] ?? 0;
  const earlier = turns.filter((turn) => turn.seat === seat).length - chain.length;
  return [{ seat, turns: chain, moves: movesOf(chain, seatReturn, earlier) }];
}

function movesOf(chain: readonly Turn[], seatReturn: number, earlierCount: number): Move[] {
  let before = "";
  return chain.map((turn, index) => {
    const ids = turn.spans.map((span) =>
      span.kind === "image" ? span.imageDigest : span.tokenIds.join(","),
    );
    const told = ids.slice(0, -1).join(";");
    const history = `${turn.seat}|${before}|${told}`;
    before = `${before}|${ids.join(";")}`;
    return { turn, moveIndex: earlierCount + index, seatReturn, history };
  });
}

function advantagesOf(
  moves: readonly Move[],
  { baseline, baselineDecay, baselines }: Parameters<typeof rowsOf>[1],
): { readonly advantages: Float64Array; readonly baselines: RoleBaselines } {
  const returns = moves.map(({ seatReturn }) => seatReturn);
  switch (baseline) {
    case "none":
      return { advantages: Float64Array.from(returns), baselines };
    case "batch":
      return {
        advantages: groupAdvantages(
          returns,
          moves.map(() => "batch"),
        ),
        baselines,
      };
    case "turn": {
      const places = moves.map(({ turn, moveIndex }) => `${turn.seat} ${moveIndex}`);
      return { advantages: groupAdvantages(returns, places), baselines };
    }
    case "history": {
      const places = moves.map(({ turn, moveIndex }) => `${turn.seat} ${moveIndex}`);
      return {
        advantages: historyAdvantages(
          returns,
          places,
          moves.map(({ history }) => history),
        ),
        baselines,
      };
    }
    case "role":
      return roleAdvantages(moves, baselineDecay, baselines);
  }
}

/** Games that the mean of a turn counts as, beside those with the same history. */
const priorGames = 4;

/**
 * Return minus the mean of moves with the same history, shrunk towards that of the same turn where few
 * share it: b = (n m_history + k m_turn) / (n + k), k = 4. The move itself is in both means.
 */
function historyAdvantages(
  returns: readonly number[],
  places: readonly string[],
  histories: readonly string[],
): Float64Array {
  const byTurn = meansBy(returns, places);
  const byHistory = meansBy(returns, histories);
  return Float64Array.from(returns, (one, index) => {
    const turn = byTurn.get(places[index] ?? "")?.mean ?? 0;
    const { mean, count } = byHistory.get(histories[index] ?? "") ?? { mean: 0, count: 0 };
    return one - (count * mean + priorGames * turn) / (count + priorGames);
  });
}

function meansBy(
  values: readonly number[],
  keys: readonly string[],
): ReadonlyMap<string, { readonly mean: number; readonly count: number }> {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const [index, value] of values.entries()) {
    const key = keys[index] ?? "";
    const entry = sums.get(key) ?? { sum: 0, count: 0 };
    sums.set(key, { sum: entry.sum + value, count: entry.count + 1 });
  }
  return new Map([...sums].map(([key, { sum, count }]) => [key, { mean: sum / count, count }]));
}

/**
 * b_role <- decay b_role + (1 - decay) mean return; A = return - b_role.
 *
 * @paper arXiv:2506.24119 role-conditioned advantage estimation
 */
function roleAdvantages(
  moves: readonly Move[],
  decay: number,
  before: RoleBaselines,
): { readonly advantages: Float64Array; readonly baselines: RoleBaselines } {
  const advantages = new Float64Array(moves.length);
  const baselines: Record<string, MovingAverage> = { ...before };
  const places = Map.groupBy(
    moves.map((_move, index) => index),
    (index) => moves[index]?.turn.seat ?? "",
  );
  for (const [seat, indices] of places) {
    const { advantages: ofSeat, average } = movingAverageAdvantages(
      indices.map((index) => moves[index]?.seatReturn ?? 0),
      { average: before[seat] ?? initialMovingAverage, decay },
    );
    baselines[seat] = average;
    indices.forEach((index, place) => {
      advantages[index] = ofSeat[place] ?? 0;
    });
  }
  return { advantages, baselines };
}
