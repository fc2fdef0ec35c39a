/**
 * A round of self-play: publish, play a batch of games, learn from them, and again. What a round needs
 * to know of the past is in `baselines` and in the pool that the recipe hands in.
 */
import type { Datum, PolicyVersion } from "spar/contract";
import type { MatchOutcome } from "spar/games";
import { openingPlayer, policyPlayer, randomPlayer, type Player } from "spar/players";
import { playEpisodes, type PlayedEpisode } from "spar/rollouts";
import { checkMismatch, type Policy, type Run, type Step } from "spar/train";
import { coefficientAt, steer, type EntropyCoefficients } from "./entropy-control.ts";
import { learn, type Learned } from "./learning.ts";
import type { GamesOptions } from "./options.ts";
import { rowsOf, type RoleBaselines } from "./rows.ts";
import type { World } from "./worlds.ts";

/** Which model plays and learns which seat. */
export interface Learner {
  readonly policy: Policy;
  readonly seats: readonly string[];
}

export interface Opponent {
  readonly seat: string;
  readonly player: Player;
  /** Its name in the pool of its seat, where it comes from one. */
  readonly member?: string;
}

/** Who sits opposite in one game; null: the learners sit in every seat. */
export type OpponentOf = (gameIndex: number) => Opponent | null;

export interface RoundOptions {
  readonly run: Run<GamesOptions>;
  readonly step: Step;
  readonly world: World;
  readonly learners: readonly Learner[];
  readonly firstUpdate: number;
  readonly updateCount: number;
  readonly gamesPerUpdate: number;
  readonly opponentOf: (update: number) => OpponentOf;
  readonly baselines: RoleBaselines;
  readonly entropyCoefficients: EntropyCoefficients;
  /** Called with every batch of games, for pools and counts. */
  readonly onGames?: (games: readonly LearnersGame[]) => void;
  readonly what: string;
}

export interface RoundFigures {
  readonly baselines: RoleBaselines;
  readonly entropyCoefficients: EntropyCoefficients;
  readonly gameCount: number;
  readonly moveCount: number;
  /** Mean over the moves of the round. @unit nats */
  readonly entropyNats: number;
}

export async function playRound(options: RoundOptions): Promise<RoundFigures> {
  const { run, step, learners, firstUpdate, updateCount } = options;
  const progress = step.progress({ what: options.what, total: updateCount, unit: "updates" });
  let { baselines } = options;
  const coefficients: Record<string, number> = { ...options.entropyCoefficients };
  let [gameCount, moveCount, entropySum] = [0, 0, 0];
  try {
    for (let update = firstUpdate; update < firstUpdate + updateCount; update++) {
      const games = await playGames(options, update);
      options.onGames?.(games);
      gameCount += games.length;
      const made = rowsOf(games, { ...run.options, baselines });
      baselines = made.baselines;
      for (const { policy, seats: own } of learners) {
        const rows = made.seats.filter(({ seat }) => own.includes(seat)).flatMap((one) => one.rows);
        // The gap between sampler and trainer, before the first update on these games.
        if (update === firstUpdate && rows.length > 0) {
          const { engine, report } = run;
          const { model } = policy;
          await checkMismatch({
            model,
            description: engine.description,
            data: rows,
            step,
            report,
            index: update,
          });
        }
        if (rows.length === 0) continue;
        const learned = await learnSteered({ run, step, update, policy, rows, coefficients });
        moveCount += learned.moveCount;
        entropySum += learned.entropyNats * learned.moveCount;
      }
      progress.advance();
    }
  } finally {
    progress.end();
  }
  const entropyNats = moveCount === 0 ? 0 : entropySum / moveCount;
  return { baselines, entropyCoefficients: coefficients, gameCount, moveCount, entropyNats };
}

/** Learns with the bonus of now, and leaves that of the next update in `coefficients`. */
async function learnSteered(place: {
  readonly run: Run<GamesOptions>;
  readonly step: Step;
  readonly update: number;
  readonly policy: Policy;
  readonly rows: readonly Datum[];
  readonly coefficients: Record<string, number>;
}): Promise<Learned> {
  const { run, step, update, policy, rows, coefficients } = place;
  const { options } = run;
  const progressShare = options.updateCount === 1 ? 0 : update / (options.updateCount - 1);
  const coefficient = coefficientAt(options.entropy, progressShare, coefficients[policy.name]);
  const learned = await learn(policy, rows, { options, update, step, entropyCoefficient: coefficient });
  const { entropyNats } = learned;
  if (options.entropy.control === "target")
    coefficients[policy.name] = steer(options.entropy, progressShare, { coefficient, entropyNats });
  return learned;
}

export interface LearnersGame {
  readonly episode: PlayedEpisode<MatchOutcome>;
  readonly opponent: Opponent | null;
  /** Seats that learners held. */
  readonly learners: readonly string[];
}

async function playGames(options: RoundOptions, update: number): Promise<readonly LearnersGame[]> {
  const { run, step, world, learners, gamesPerUpdate } = options;
  const own: Record<string, Player> = {};
  for (const { policy, seats } of learners) {
    const player = playerOf(run, world, {
      version: await policy.publishForStep(),
      name: policy.name,
      kind: "live",
    });
    for (const seat of seats) own[seat] = player;
  }
  const opponentOf = options.opponentOf(update);
  const opponents = Array.from({ length: gamesPerUpdate }, (_value, game) => opponentOf(game));
  const episodes = await playEpisodes({
    step,
    game: world.match,
    name: `update-${update}`,
    tasks: opponents.map((_opponent, game) => ({ id: String(game), task: world.task })),
    seats: (_task, game) => {
      const opponent = opponents[game];
      const seats =
        opponent === null || opponent === undefined ? own : { ...own, [opponent.seat]: opponent.player };
      return step.random.split("opening", update, game).uniform() < run.options.randomOpeningShare
        ? withRandomOpening(world, seats)
        : seats;
    },
    concurrency: run.options.concurrency,
    // What people read is the progress of the round.
    what: null,
  });
  return episodes.map((episode, game) => ({
    episode,
    opponent: opponents[game] ?? null,
    learners: Object.keys(own).filter((seat) => seat !== opponents[game]?.seat),
  }));
}

/** The first seat's first reply is a random legal one. Nobody learns it: it has no log-probability. */
function withRandomOpening(
  { match }: World,
  seats: Readonly<Record<string, Player>>,
): Readonly<Record<string, Player>> {
  const [first] = match.seats;
  const player = first === undefined ? undefined : seats[first];
  if (first === undefined || player === undefined) return seats;
  return { ...seats, [first]: openingPlayer({ opening: randomPlayer(), continuing: player }) };
}

/** A seat filled by a version; greedy where the temperature is 0. */
export function playerOf(
  run: Pick<Run<GamesOptions>, "engine">,
  world: World,
  who: {
    readonly version: PolicyVersion;
    readonly name: string;
    readonly kind: "live" | "frozen";
    readonly temperature?: number;
  },
): Player {
  const { version, name, kind, temperature = 1 } = who;
  return policyPlayer({
    name,
    kind,
    version,
    engine: run.engine,
    renderer: world.renderer,
    contextLength: world.contextLength,
    sampling: { maxTokens: 1, temperature },
  });
}
