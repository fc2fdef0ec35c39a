/**
 * The training of one policy, or of one per seat: rounds of play and learning, each a step of the run and
 * measured exactly at its end. The recipe trains with it twice, once against the control's opponents.
 */
import type { Random } from "spar/base";
import type { CreateModelOptions, PolicyVersion } from "spar/contract";
import type { ProfileSum } from "spar/games";
import type { Policy, Run, RunState, Step } from "spar/train";
import type { EntropyCoefficients } from "./entropy-control.ts";
import { collapseAlarms, countOutcomes, emptyCounts, type OutcomeCounts } from "./health.ts";
import { measure } from "./measure.ts";
import type { Figures } from "./measuring.ts";
import type { RatedVersion } from "./ladder.ts";
import {
  opponentsOf,
  randomOpponents,
  withGames,
  withVersions,
  type Pools,
  type SeatVersions,
} from "./opponents.ts";
import type { GamesOptions } from "./options.ts";
import type { RoleBaselines } from "./rows.ts";
import { playRound, type Learner } from "./self-play.ts";
import { architectureOf, type World } from "./worlds.ts";

export interface Training {
  readonly name: string;
  readonly gamesPerUpdate: number;
  readonly isControl?: boolean;
  readonly onRound?: (round: {
    readonly update: number;
    readonly figures: Figures;
    readonly counts: OutcomeCounts;
  }) => void;
}

export interface Trained {
  /** Before the first round and after each. */
  readonly curve: readonly Figures[];
  /** Of hidden information: the sum that gives the average of its policies; else empty. */
  readonly average: ProfileSum;
  readonly rated: readonly RatedVersion[];
}

/** Rounds of play and learning. */
export async function train(run: Run<GamesOptions>, world: World, training: Training): Promise<Trained> {
  const { options } = run;
  const { name } = training;
  const learners = await makeLearners(run, world, name);
  const models = learners.map(({ policy }) => policy);
  const memory = memoryOf(run, name);
  const { pools, average } = memory;

  const start = await run.step(`${name}-0`, { models, states: [pools, average] }, async (step) => {
    const versions = await publishAll(learners);
    pools.set(withVersions({}, versions, { update: 0, size: options.pool.size }));
    const measuring = { engine: run.engine, step, world, versions };
    const figures = await measure(measuring, { name, index: 0, average });
    return { figures, counts: emptyCounts, rated: ratedOf(run.options, training, { update: 0, versions }) };
  });
  training.onRound?.({ update: 0, ...start });
  const rounds: RoundResult[] = [start];
  for (let first = 0; first < options.updateCount; first += options.updatesPerRound) {
    const update = Math.min(first + options.updatesPerRound, options.updateCount);
    const round = await run.step(
      `${name}-${update}`,
      { models, states: Object.values(memory) },
      async (step) => oneRound({ run, step, world, learners, training, memory, first, update }),
    );
    for (const message of collapseAlarms(options, round.counts, update)) run.report.note(message);
    training.onRound?.({ update, ...round });
    rounds.push(round);
  }
  return {
    curve: rounds.map(({ figures }) => figures),
    average: average.get(),
    rated: rounds.flatMap(({ rated }) => rated ?? []),
  };
}

/** What a round needs to know of those before it. */
interface Memory {
  readonly pools: RunState<Pools>;
  readonly baselines: RunState<RoleBaselines>;
  readonly coefficients: RunState<EntropyCoefficients>;
  /** Of hidden information; else empty. */
  readonly average: RunState<ProfileSum>;
}

function memoryOf(run: Run<GamesOptions>, name: string): Memory {
  return {
    pools: run.state<Pools>(`${name}-pools`, {}),
    baselines: run.state<RoleBaselines>(`${name}-baselines`, {}),
    coefficients: run.state<EntropyCoefficients>(`${name}-entropy`, {}),
    average: run.state<ProfileSum>(`${name}-average`, {}),
  };
}

interface RoundPlace {
  readonly run: Run<GamesOptions>;
  readonly step: Step;
  readonly world: World;
  readonly learners: readonly Learner[];
  readonly training: Training;
  readonly memory: Memory;
  readonly first: number;
  readonly update: number;
}

type RoundResult = {
  readonly figures: Figures;
  readonly counts: OutcomeCounts;
  /** Null where this round's versions are not rated: then the run need not keep them. */
  readonly rated: RatedVersion | null;
};

async function oneRound(place: RoundPlace): Promise<RoundResult> {
  const { run, step, world, learners, training, memory, first, update } = place;
  const { pools, baselines, coefficients, average } = memory;
  const { name, isControl = false } = training;
  const { size } = run.options.pool;
  let poolsNow = pools.get();
  let counts = emptyCounts;
  const played = await playRound({
    run,
    step,
    world,
    learners,
    firstUpdate: first,
    updateCount: update - first,
    gamesPerUpdate: training.gamesPerUpdate,
    opponentOf: isControl
      ? randomOpponents(world)
      : opponentsOf(run, world, { step, poolsNow: () => poolsNow }),
    baselines: baselines.get(),
    entropyCoefficients: coefficients.get(),
    onGames: (games) => {
      counts = countOutcomes(
        counts,
        games.map(({ episode }) => episode),
      );
      poolsNow = withGames(poolsNow, games);
    },
    what: isControl ? "control: learning from a random player" : "learning by self-play",
  });
  baselines.set(played.baselines);
  coefficients.set(played.entropyCoefficients);
  const versions = await publishAll(learners);
  pools.set(withVersions(poolsNow, versions, { update, size }));
  step.metric(`${name}/entropyNats/mean`, update, played.entropyNats);
  step.metric(`${name}/games/count`, update, played.gameCount);
  const measuring = { engine: run.engine, step, world, versions };
  const figures = await measure(measuring, { name, index: update, average });
  return { figures, counts, rated: ratedOf(run.options, training, { update, versions }) };
}

/** Versions at equal distances from the first to the last of the policy; none of a control. */
function ratedOf(
  { updateCount, updatesPerRound, ladder }: GamesOptions,
  { isControl = false }: Training,
  { update, versions }: RatedVersion,
): RatedVersion | null {
  if (isControl || ladder.versions === 0) return null;
  const lastRound = Math.ceil(updateCount / updatesPerRound);
  const places = Array.from({ length: ladder.versions }, (_value, index) =>
    ladder.versions === 1 ? lastRound : Math.round((index * lastRound) / (ladder.versions - 1)),
  );
  return places.includes(Math.ceil(update / updatesPerRound)) ? { update, versions } : null;
}

/** One model for all seats, or one for each. A control begins with the weights that the policy began with. */
async function makeLearners(run: Run<GamesOptions>, world: World, name: string): Promise<Learner[]> {
  const { seats } = world.match;
  const make = (suffix: string): Promise<Policy> =>
    run.model(`${name}${suffix}`, modelOptions(run, world, run.random.split("weights", `policy${suffix}`)));
  if (!run.options.policyPerSeat) return [{ policy: await make(""), seats }];
  const learners: Learner[] = [];
  for (const seat of seats) learners.push({ policy: await make(`-${seat.toLowerCase()}`), seats: [seat] });
  return learners;
}

function modelOptions(
  run: Run<GamesOptions>,
  { tokenizer }: World,
  random: Random,
): Omit<CreateModelOptions, "name"> {
  return {
    from: { kind: "architecture", architecture: architectureOf(run.options), seed: random.seed() },
    tokenizer: tokenizer.definition,
  };
}

async function publishAll(learners: readonly Learner[]): Promise<SeatVersions> {
  const versions: Record<string, PolicyVersion> = {};
  for (const { policy, seats } of learners) {
    const version = await policy.publish();
    for (const seat of seats) versions[seat] = version;
  }
  return versions;
}
