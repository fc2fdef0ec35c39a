/**
 * For games of perfect information: every line of the game is played against perfect play, in each
 * seat, so nothing is sampled. A policy is judged by what its most likely moves lose.
 */
import { throwIfAborted } from "spar/base";
import { tokens } from "spar/contract";
import { scoreAgainstPerfect, solveMatch, type Solution } from "spar/games";
import { promptIds, type Measuring, type Figures } from "./measuring.ts";
import type { World } from "./worlds.ts";

/** Solutions by game: they depend on the rules alone, and take a second. */
const solutions = new Map<string, Promise<Solution>>();

export function solutionOf({ match, task }: Pick<World, "match" | "task">): Promise<Solution> {
  const known = solutions.get(match.id) ?? solveMatch(match, task);
  solutions.set(match.id, known);
  return known;
}

export const perfectPlayFigureNames = (seats: readonly string[]): string[] => [
  ...seats.map((seat) => `${seat} loses`),
  "illegal",
];

/** Against an opponent who picks uniformly among the best moves; illegal moves lose. */
export async function perfectPlayFigures({ engine, step, world, versions }: Measuring): Promise<Figures> {
  const { match, task } = world;
  const solution = await solutionOf(world);
  const figures: Record<string, number> = {};
  let illegal = 0;
  for (const seat of match.seats) {
    const version = versions[seat];
    if (version === undefined) continue;
    const score = await scoreAgainstPerfect({
      match,
      task,
      seat,
      solution,
      reply: async (nodes) => {
        throwIfAborted(step.signal, { boundary: "recipe", what: "measuring" });
        return Promise.all(
          nodes.map(async (node) => {
            const { sequences } = await engine.sample(
              version,
              {
                prompt: [tokens(promptIds(world, node))],
                parameters: { maxTokens: 1, temperature: 0, seed: 0 },
              },
              { signal: step.signal },
            );
            return world.renderer.decode(sequences[0]?.tokenIds ?? []);
          }),
        );
      },
    });
    figures[`${seat} loses`] = score.lossShare;
    illegal += score.illegalShare / match.seats.length;
  }
  return { ...figures, illegal };
}
