/**
 * Tasks before the first step: the model proposes from one identity triplet on, nothing is learned. What it does not find may
 * come from the recipe.
 *
 * @paper arXiv:2505.03335v3 section 3.3.1
 */
import type { Random } from "spar/base";
import type { Player } from "spar/players";
import { emptyBuffers, growAll, keyOf, noTasks, type Buffers, type NewTasks } from "./buffer-set.ts";
import { stripProgram } from "./measures.ts";
import type { Executor } from "./judge.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import { drawInspirations, propose, type Proposer, type ProposingPlace } from "./propose.ts";
import { validTasks } from "./responses.ts";
import { identityProgram, type InductionTask, type TaskType, type Triplet } from "./tasks.ts";

/** JSON. */
export type Seeds = {
  readonly tasks: NewTasks;
  /** Of each kind: what the model found, and what came with the recipe. The identity is in neither. */
  readonly proposed: { readonly triplets: number; readonly inductions: number };
  readonly filled: { readonly triplets: number; readonly inductions: number };
};

interface SeedingPlace extends ProposingPlace {
  readonly executor: Executor;
  readonly player: Player;
}

export async function seed(place: SeedingPlace): Promise<Seeds> {
  const { options } = place;
  const wanted = options.batchSize * options.seeding.factor;
  const triplets = new Collected<Triplet>(identityTriplet(options), wanted);
  const found = { triplets: 0, inductions: 0 };
  const filled = { triplets: 0, inductions: 0 };
  const fills = options.seeding.fill === "none" ? [place.player] : [place.player, null];
  for (const proposer of fills) {
    const before = triplets.count;
    await collect(place, triplets, { name: "triplets", proposer });
    (proposer === null ? filled : found).triplets += triplets.count - before;
  }
  const programs: NewTasks = { ...noTasks, deduction: triplets.entries, abduction: triplets.entries };
  const inductions = new Collected<InductionTask>(identityInduction(options), wanted);
  if (options.taskTypes.includes("induction")) {
    for (const proposer of fills) {
      const before = inductions.count;
      await collectInductions(place, inductions, { programs, proposer });
      (proposer === null ? filled : found).inductions += inductions.count - before;
    }
  }
  return { tasks: { ...programs, induction: inductions.entries }, proposed: found, filled };
}

/** Without repeats, up to a number. */
class Collected<Entry extends Triplet | InductionTask> {
  readonly #entries = new Map<string, Entry>();
  readonly #wanted: number;

  constructor(first: Entry, wanted: number) {
    this.#wanted = wanted;
    this.add(first);
  }

  get count(): number {
    return this.#entries.size;
  }

  get isFull(): boolean {
    return this.count >= this.#wanted;
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  add(entry: Entry): void {
    if (!this.isFull) this.#entries.set(keyOf(entry), entry);
  }
}

async function collect(
  place: SeedingPlace,
  triplets: Collected<Triplet>,
  { name, proposer }: { readonly name: string; readonly proposer: Proposer },
): Promise<void> {
  const { options, step, executor } = place;
  const { maxBatches, isStripped } = options.seeding;
  for (let batch = 0; batch < maxBatches && !triplets.isFull; batch++) {
    const buffers = growAll(emptyBuffers, { ...noTasks, deduction: triplets.entries }, atStart(options));
    const tasks = validTasks(
      await seedBatch(place, buffers, {
        name: batchName(name, proposer, batch),
        type: "deduction",
        proposer,
      }),
    );
    for (const task of tasks.deduction) {
      const program = isStripped
        ? await stripProgram(executor, task.program, { signal: step.signal })
        : task.program;
      triplets.add({ ...task, program });
    }
  }
}

async function collectInductions(
  place: SeedingPlace,
  inductions: Collected<InductionTask>,
  { programs, proposer }: { readonly programs: NewTasks; readonly proposer: Proposer },
): Promise<void> {
  const buffers = growAll(emptyBuffers, programs, atStart(place.options));
  for (let batch = 0; batch < place.options.seeding.maxBatches && !inductions.isFull; batch++) {
    const name = batchName("inductions", proposer, batch);
    const tasks = validTasks(await seedBatch(place, buffers, { name, type: "induction", proposer }));
    for (const task of tasks.induction) inductions.add(task);
  }
}

function seedBatch(
  place: SeedingPlace,
  buffers: Buffers,
  batch: { readonly name: string; readonly type: TaskType; readonly proposer: Proposer },
): ReturnType<typeof propose> {
  const { options, world, step, player } = place;
  const random: Random = step.random.split(batch.name);
  return propose(place, {
    name: batch.name,
    inspirations: drawInspirations({ options, world }, buffers, {
      type: batch.type,
      count: options.batchSize,
      random,
    }),
    proposer: batch.proposer,
    solver: player,
    rolloutCount: 0,
  });
}

function batchName(what: string, proposer: Proposer, batch: number): string {
  return `seed-${what}-${proposer === null ? "shipped" : "proposed"}-${batch}`;
}

function atStart({ bufferCapacity: capacity }: AbsoluteZeroOptions): {
  readonly step: number;
  readonly capacity: number;
} {
  return { step: 0, capacity };
}

/** @paper arXiv:2505.03335v3 fig. 5 */
function identityTriplet({ world }: AbsoluteZeroOptions): Triplet {
  const isList = world === "lists";
  return {
    kind: "triplet",
    program: identityProgram,
    originalProgram: identityProgram,
    input: isList ? "[0, 1, 2, 3]" : "'Hello World'",
    output: isList ? ["list", 0, 1, 2, 3] : "Hello World",
    thought: "",
  };
}

/** The identity again, with as many cases as a proposal has. */
function identityInduction({ world, inputCount }: AbsoluteZeroOptions): InductionTask {
  const cases = Array.from({ length: inputCount }, (_value, index): InductionTask["cases"][number] =>
    world === "lists"
      ? { input: `[${index % 10}, 1, 2, 3]`, output: ["list", index % 10, 1, 2, 3] }
      : { input: String(index), output: index },
  );
  return {
    kind: "induction",
    program: identityProgram,
    cases,
    message: world === "lists" ? "0" : "It gives back what it is given.",
    thought: "",
  };
}
