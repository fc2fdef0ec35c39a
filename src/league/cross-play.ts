/**
 * Cross-play: every player against every other, in every seat. What self-play hides shows here: a
 * policy that beats its former self and loses to everybody else, a seat that is never learned. The
 * matrix is plain data; matches are played and recorded like all others.
 */
import type { JsonValue } from "../base/index.ts";
import type { Match, MatchOutcome } from "../games/index.ts";
import type { Player } from "../players/index.ts";
import { playEpisodes, type PlayedEpisode, type PlayEpisodesOptions, type Seats } from "../rollouts/index.ts";
import { leagueError } from "./league-errors.ts";
import { fareOf, type MatchResult } from "./match-result.ts";

export interface Contestant {
  /** Unique in the matrix; what results and ratings call it, whatever its player's own name. */
  readonly name: string;
  readonly player: Player;
}

type Passed = "step" | "concurrency" | "limits" | "replyTimeoutMs" | "services" | "callTimeoutMs" | "images";

export interface CrossPlayOptions<Task extends JsonValue> extends Pick<
  PlayEpisodesOptions<Task, MatchOutcome>,
  Passed
> {
  readonly match: Match<Task>;
  readonly contestants: readonly Contestant[];
  /** Of each player against each other one in each seat. */
  readonly matchesPerCell: number;
  /** Default: the match's own. */
  readonly task?: Task;
  /** Whether players also meet themselves; default false. */
  readonly includesMirror?: boolean;
  /** Tells several matrices of one step apart. Default `cross-play`. */
  readonly name?: string;
}

/** How one player fared in one seat with another in all other seats. */
export type CrossPlayCell = {
  readonly player: string;
  readonly seat: string;
  readonly opponent: string;
  readonly matchCount: number;
  readonly wins: number;
  readonly draws: number;
  readonly losses: number;
  /** Of the losses: those by its own illegal, unreadable or missing reply. */
  readonly forfeits: number;
  /** Of the wins: those by such a reply of the opponent. */
  readonly opponentForfeits: number;
  /** Matches that a failure ended; they are in no other count. */
  readonly failures: number;
  /** Of its own returns; null where every match failed. */
  readonly meanReturn: number | null;
};

export type CrossPlay = {
  readonly match: string;
  readonly seats: readonly string[];
  readonly players: readonly string[];
  readonly cells: readonly CrossPlayCell[];
  /** Of every match that did not fail, in a mixed order: for ratings. */
  readonly results: readonly MatchResult[];
};

interface Pairing {
  readonly contestant: Contestant;
  readonly seat: string;
  readonly opponent: Contestant;
}

/**
 * Plays the matrix.
 *
 * @throws `contestants-missing`, `seats-missing`; what `playEpisodes` throws
 */
export async function playCrossPlay<Task extends JsonValue>(
  options: CrossPlayOptions<Task>,
): Promise<CrossPlay> {
  const { match, matchesPerCell, contestants, task = match.defaultTask, name = "cross-play" } = options;
  const pairings = pairingsOf(options);
  // Round by round, so that a part of the matches in this order is a fair part of the matrix.
  const rounds = Array.from({ length: matchesPerCell }, (_value, round) =>
    pairings.map((pairing, index) => ({ pairing, id: `pairing-${index}-round-${round}` })),
  ).flat();
  const played = await playEpisodes({
    ...passedOn(options),
    game: match,
    name,
    tasks: rounds.map(({ id }) => ({ id, task })),
    seats: (_task, index) => seatsOf(match.seats, rounds[index]?.pairing),
    // A player that fails is a result, too.
    maximumFailedShare: 1,
    what: `cross-play of ${match.id}`,
  });
  const outcomes = played.map(({ outcome }, index) => resultOf(match.seats, rounds[index]?.pairing, outcome));
  return {
    match: match.id,
    seats: match.seats,
    players: contestants.map((contestant) => contestant.name),
    cells: pairings.map((pairing, first) =>
      cellOf(
        pairing,
        outcomes.filter((_outcome, index) => index % pairings.length === first),
      ),
    ),
    results: outcomes.filter((result) => result !== null),
  };
}

function passedOn<Task extends JsonValue>(
  options: CrossPlayOptions<Task>,
): Pick<PlayEpisodesOptions<Task, MatchOutcome>, Passed> {
  const { match: _match, contestants: _contestants, matchesPerCell: _count, ...rest } = options;
  const { task: _task, includesMirror: _mirror, name: _name, ...passed } = rest;
  return passed;
}

/** @throws `contestants-missing`, `seats-missing` */
function pairingsOf<Task extends JsonValue>(options: CrossPlayOptions<Task>): Pairing[] {
  const { match, contestants, includesMirror = false } = options;
  const names = contestants.map(({ name }) => name);
  if (new Set(names).size < Math.max(names.length, 2)) {
    throw leagueError(
      "contestants-missing",
      `expected two or more players of different names, got ${names.join(", ") || "none"}`,
      "give each contestant a name of its own",
    );
  }
  if (match.seats.length < 2) {
    throw leagueError(
      "seats-missing",
      `${match.id} has ${match.seats.length} seat, players cannot meet in it`,
      "compare players of a task for one seat by their rewards",
    );
  }
  return contestants.flatMap((contestant) =>
    contestants
      .filter((opponent) => includesMirror || opponent !== contestant)
      .flatMap((opponent) => match.seats.map((seat) => ({ contestant, seat, opponent }))),
  );
}

function seatsOf(seats: readonly string[], pairing: Pairing | undefined): Seats {
  if (pairing === undefined) return {};
  const { contestant, seat, opponent } = pairing;
  return Object.fromEntries(seats.map((one) => [one, (one === seat ? contestant : opponent).player]));
}

function resultOf(
  seats: readonly string[],
  pairing: Pairing | undefined,
  outcome: PlayedEpisode<MatchOutcome>["outcome"],
): MatchResult | null {
  if (outcome === null || pairing === undefined) return null;
  const { contestant, seat, opponent } = pairing;
  const players = seats.map((one) => [one, (one === seat ? contestant : opponent).name] as const);
  const { returns, forfeitedBy } = outcome;
  return { players: Object.fromEntries(players), returns, forfeitedBy };
}

function cellOf(
  { contestant, seat, opponent }: Pairing,
  outcomes: readonly (MatchResult | null)[],
): CrossPlayCell {
  const results = outcomes.filter((result) => result !== null);
  const count = (holds: (result: MatchResult) => boolean): number => results.filter(holds).length;
  const total = results.reduce((sum, { returns }) => sum + (returns[seat] ?? 0), 0);
  return {
    player: contestant.name,
    seat,
    opponent: opponent.name,
    matchCount: outcomes.length,
    wins: count((result) => fareOf(result, seat) === "win"),
    draws: count((result) => fareOf(result, seat) === "draw"),
    losses: count((result) => fareOf(result, seat) === "loss"),
    forfeits: count(({ forfeitedBy }) => forfeitedBy === seat),
    opponentForfeits: count(({ forfeitedBy }) => forfeitedBy !== null && forfeitedBy !== seat),
    failures: outcomes.length - results.length,
    meanReturn: results.length === 0 ? null : total / results.length,
  };
}
