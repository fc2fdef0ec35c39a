/**
 * Rounds of self-play: propose, estimate, solve, one update, and again. A round is a durable step; what it returns is what
 * the buffers grow by, so they are what the proposals made them, whatever interrupted the run.
 *
 * @paper arXiv:2505.03335v3 algorithm 1
 */
import type { PolicyVersion } from "spar/contract";
import type { Player } from "spar/players";
import { playEpisodes } from "spar/rollouts";
import type { Policy, Run, Step } from "spar/train";
import { drawSolving, emptyBuffers, growAll, keyOf, type Buffers, type NewTasks } from "./buffer-set.ts";
import { addCounts, healthOf, noCounts, alarms, type Counts } from "./counts.ts";
import { solverSeat, solvingGame } from "./episodes.ts";
import { evaluate, type Figures } from "./evaluate.ts";
import type { Executor } from "./judge.ts";
import { learn } from "./learn.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import { livePlayer, proposerOf, type ProposerKind } from "./players.ts";
import { drawInspirations, propose } from "./propose.ts";
import { outputKey, readAnswers, readProposals, validTasks, type Known } from "./responses.ts";
import { servicesOf, type Services } from "./services.ts";
import type { World } from "./world.ts";

export interface Training {
  readonly name: string;
  readonly proposer: ProposerKind;
  /** The weights that it begins with. */
  readonly start: PolicyVersion;
  readonly seeds: NewTasks;
}

export interface Arena {
  readonly run: Run<AbsoluteZeroOptions>;
  readonly world: World;
  readonly executor: Executor;
}

export interface Round {
  /** Steps that were done when it ended. */
  readonly stepIndex: number;
  readonly counts: Counts;
  /** Null where it was not evaluated. */
  readonly figures: Figures | null;
}

type RoundResult = {
  readonly tasks: readonly NewTasks[];
  readonly counts: Counts;
  readonly figures: Figures | null;
};

/** Trains a policy that starts as it is. */
export async function train(
  arena: Arena,
  policy: Policy,
  training: Training,
  onRound: (round: Round) => void,
): Promise<readonly Round[]> {
  const { run } = arena;
  const { options } = run;
  const { stepCount, stepsPerRound, bufferCapacity: capacity, evaluation } = options;
  let buffers = growAll(emptyBuffers, training.seeds, {
    step: 0,
    capacity,
  });
  const rounds: Round[] = [];
  for (let first = 1; first <= stepCount; first += stepsPerRound) {
    const last = Math.min(first + stepsPerRound - 1, stepCount);
    const roundIndex = rounds.length + 1;
    const isEvaluated = last === stepCount || roundIndex % evaluation.everyRounds === 0;
    const before = buffers;
    const result = await run.step<RoundResult>(
      `${training.name}-${last}`,
      { models: [policy] },
      async (step) => {
        if (first === 1 && training.proposer !== "self") await policy.restart(training.start);
        return oneRound({ ...arena, step, policy, training, buffers: before, first, last, isEvaluated });
      },
    );
    for (const [index, tasks] of result.tasks.entries())
      buffers = growAll(buffers, tasks, { step: first + index, capacity });
    const { counts, figures } = result;
    const health = healthOf(counts);
    for (const message of training.proposer === "self" ? alarms(options, health, last) : [])
      run.report.note(message);
    const round = { stepIndex: last, counts, figures };
    rounds.push(round);
    onRound(round);
  }
  return rounds;
}

interface RoundPlace extends Arena {
  readonly step: Step;
  readonly policy: Policy;
  readonly training: Training;
  readonly buffers: Buffers;
  readonly first: number;
  readonly last: number;
  readonly isEvaluated: boolean;
}

async function oneRound(place: RoundPlace): Promise<RoundResult> {
  const { run, step, policy, training, first, last } = place;
  const { bufferCapacity: capacity } = run.options;
  const progress = step.progress({
    what: training.proposer === "self" ? "self-play" : training.name,
    total: last - first + 1,
    unit: "steps",
  });
  let { buffers } = place;
  const tasks: NewTasks[] = [];
  let counts = noCounts;
  try {
    for (let stepIndex = first; stepIndex <= last; stepIndex++) {
      const done = await oneStep(place, buffers, stepIndex);
      buffers = growAll(buffers, done.tasks, { step: stepIndex, capacity });
      tasks.push(done.tasks);
      counts = addCounts(counts, done.counts);
      progress.advance();
    }
  } finally {
    progress.end();
  }
  const version = await policy.publish();
  for (const [name, value] of Object.entries(healthOf(counts)))
    if (value !== null) step.metric(`${training.name}/${name}`, last, value);
  for (const [name, value] of Object.entries(counts))
    step.metric(`${training.name}/${name.replaceAll("/", "-")}/sum`, last, value);
  const figures = place.isEvaluated
    ? await evaluate(place, { name: training.name, version, step, index: last })
    : null;
  return { tasks, counts, figures };
}

/** One step of the method: two batches of episodes, one update. */
async function oneStep(
  place: RoundPlace,
  buffers: Buffers,
  stepIndex: number,
): Promise<{ readonly tasks: NewTasks; readonly counts: Counts }> {
  const { run, world, step, policy, training, first } = place;
  const { options } = run;
  const player = livePlayer(run, world, await policy.publishForStep());
  const services = servicesOf(options, place.executor, world);
  const random = step.random.split("step", stepIndex);
  const proposals = await propose(
    { options, step, world, services },
    {
      name: `propose-${stepIndex}`,
      inspirations: options.taskTypes.flatMap((type) =>
        drawInspirations({ options, world }, buffers, { type, count: options.batchSize, random }),
      ),
      proposer: proposerOf(run, world, { ...training, player }),
      solver: player,
      rolloutCount: options.rolloutCount,
    },
  );
  const tasks = validTasks(proposals);
  // The paper solves this step's tasks, the code those that came before.
  const isThisStep = options.solverTasks === "this-step";
  const grown = growAll(buffers, tasks, { step: stepIndex, capacity: options.bufferCapacity });
  const answers = await solve(place, services, player, {
    buffers: isThisStep ? grown : buffers,
    since: isThisStep ? stepIndex : stepIndex - 1,
    stepIndex,
  });
  const proposed = readProposals(proposals, options, knownOf(buffers, options));
  const isTrained = training.proposer === "self" && options.proposerWeight > 0;
  const learned = await learn(run, {
    step,
    policy,
    responses: [...(isTrained ? proposed.responses : []), ...answers.responses],
    stepIndex,
    isFirstOfRound: stepIndex === first,
  });
  return { tasks, counts: addCounts(proposed.counts, answers.counts, learned) };
}

async function solve(
  { run, world, step }: RoundPlace,
  services: Services,
  player: Player,
  {
    buffers,
    since,
    stepIndex,
  }: { readonly buffers: Buffers; readonly since: number; readonly stepIndex: number },
): Promise<ReturnType<typeof readAnswers>> {
  const { options } = run;
  const solving = drawSolving(buffers, options, { since, random: step.random.split("solve", stepIndex) });
  const episodes = await playEpisodes({
    step,
    name: `solve-${stepIndex}`,
    game: solvingGame({ wording: world }),
    tasks: solving.map((task, index) => ({ id: String(index), task })),
    seats: { [solverSeat]: player },
    services,
    concurrency: options.concurrency,
    replyTimeoutMs: options.replyTimeoutMs,
    what: null,
  });
  return readAnswers(solving, episodes);
}

function knownOf(buffers: Buffers, { intrinsic }: AbsoluteZeroOptions): Known {
  const stored = [...buffers.deduction, ...buffers.abduction, ...buffers.induction].map(({ entry }) => entry);
  const outputs = new Map<string, number>();
  if (intrinsic.answerDiversity > 0)
    for (const task of stored) outputs.set(outputKey(task), (outputs.get(outputKey(task)) ?? 0) + 1);
  return { keys: new Set(stored.map(keyOf)), outputs };
}
