/** A batch of proposals: who is shown what, who proposes, and what came of it. */
import type { Random } from "spar/base";
import { scriptedPlayer, type Player } from "spar/players";
import { playEpisodes, type PlayedEpisode, type Service } from "spar/rollouts";
import type { Step } from "spar/train";
import { drawInspiration, type Buffers } from "./buffer-set.ts";
import { proposerSeat, proposingGame, solverSeat, type Proposed } from "./episodes.ts";
import { intrinsicNames } from "./intrinsic.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import type { TaskType } from "./tasks.ts";
import type { Inspiration, World } from "./world.ts";

export interface Proposal {
  readonly inspiration: Inspiration;
  readonly episode: PlayedEpisode<Proposed>;
}

export interface ProposingPlace {
  readonly options: AbsoluteZeroOptions;
  readonly step: Step;
  readonly world: World;
  readonly services: Readonly<Record<string, Service>>;
}

/** Null: proposals are drawn at random, and no model learns from them. */
export type Proposer = Player | null;

export async function propose(
  place: ProposingPlace,
  batch: {
    /** Of the play, and of its randomness. */
    readonly name: string;
    readonly inspirations: readonly Inspiration[];
    readonly proposer: Proposer;
    readonly solver: Player;
    readonly rolloutCount: number;
  },
): Promise<Proposal[]> {
  const { options, step, world, services } = place;
  const { name, inspirations, proposer, solver, rolloutCount } = batch;
  const isMeasured = intrinsicNames.some((intrinsic) => options.intrinsic[intrinsic] !== 0);
  const episodes = await playEpisodes({
    step,
    name,
    game: proposingGame({ wording: world, rolloutCount, isMeasured }),
    tasks: inspirations.map((task, index) => ({ id: String(index), task })),
    seats: ({ task }) => ({
      [proposerSeat]: proposer ?? randomProposer(world, task),
      [solverSeat]: solver,
    }),
    services,
    concurrency: options.concurrency,
    replyTimeoutMs: options.replyTimeoutMs,
    what: null,
  });
  return episodes.flatMap((episode, index) => {
    const inspiration = inspirations[index];
    return inspiration === undefined ? [] : [{ inspiration, episode }];
  });
}

function randomProposer(world: World, inspiration: Inspiration): Player {
  return scriptedPlayer({
    name: "random-proposals",
    reply: (_request, random) => world.randomProposal(inspiration, random),
  });
}

/** Fewer where there is no program yet that inputs could be proposed for. */
export function drawInspirations(
  { options, world }: Pick<ProposingPlace, "options" | "world">,
  buffers: Buffers,
  { type, count, random }: { readonly type: TaskType; readonly count: number; readonly random: Random },
): Inspiration[] {
  return Array.from({ length: count }, (_value, index) =>
    fitting({ options, world }, buffers, type, random.split(type, index)),
  ).filter((inspiration) => inspiration !== null);
}

const drawsPerCount = 4;

/** References are drawn anew where they are too long for a prompt, and after some draws one fewer of them. */
function fitting(
  { options, world }: Pick<ProposingPlace, "options" | "world">,
  buffers: Buffers,
  type: TaskType,
  random: Random,
): Inspiration | null {
  for (let count = options.referenceCount; count >= 0; count--) {
    for (let draw = 0; draw < drawsPerCount; draw++) {
      const inspiration = drawInspiration(buffers, type, { count, random: random.split(count, draw) });
      if (inspiration === null) return null;
      if (contentTokens(world, inspiration) <= options.maxContentTokens) return inspiration;
    }
    if (type === "induction") return null;
  }
  return null;
}

function contentTokens(world: World, inspiration: Inspiration): number {
  return world
    .proposerPrompt(inspiration)
    .reduce(
      (sum, segment) => sum + (segment.kind === "text" ? world.tokenizer.encode(segment.text).length : 0),
      0,
    );
}
