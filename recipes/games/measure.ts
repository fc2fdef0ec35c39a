/** Exact figures of a policy, by the kind of the game; nothing is sampled. */
import type { ProfileSum } from "spar/games";
import type { RunState } from "spar/train";
import { exploitabilityFigures } from "./measure-exploitability.ts";
import { perfectPlayFigures } from "./measure-perfect-play.ts";
import type { Figures, Measuring } from "./measuring.ts";

export async function measure(
  measuring: Measuring,
  at: { readonly name: string; readonly index: number; readonly average: RunState<ProfileSum> },
): Promise<Figures> {
  const figures = await figuresOf(measuring, at);
  for (const [name, value] of Object.entries(figures))
    measuring.step.metric(`${at.name}/${name.replaceAll(" ", "-").toLowerCase()}`, at.index, value);
  return figures;
}

async function figuresOf(
  measuring: Measuring,
  { index, average }: { readonly index: number; readonly average: RunState<ProfileSum> },
): Promise<Figures> {
  if (measuring.world.match.facts.information === "perfect") return perfectPlayFigures(measuring);
  const measured = await exploitabilityFigures(measuring, { average: average.get(), weight: index });
  average.set(measured.average);
  return measured.figures;
}
