/** Who sits in the seats of a step. */
import type { PolicyVersion } from "spar/contract";
import { policyPlayer, type Player } from "spar/players";
import type { Run } from "spar/train";
import type { AbsoluteZeroOptions } from "./options.ts";
import type { Proposer } from "./propose.ts";
import type { World } from "./world.ts";

/** Who makes the tasks: the model that learns, its start, or nobody. */
export type ProposerKind = "self" | "frozen" | "random";

/** Samples from a version at the temperature of the run. */
export function livePlayer(
  { engine, options }: Pick<Run<AbsoluteZeroOptions>, "engine" | "options">,
  world: World,
  version: PolicyVersion,
  kind: "live" | "frozen" = "live",
): Player {
  return policyPlayer({
    name: kind === "live" ? "player" : "start",
    kind,
    version,
    engine,
    renderer: world.renderer,
    contextLength: world.contextLength,
    sampling: { maxTokens: options.maxReplyTokens, temperature: options.temperature },
  });
}

export function proposerOf(
  run: Run<AbsoluteZeroOptions>,
  world: World,
  from: { readonly proposer: ProposerKind; readonly start: PolicyVersion; readonly player: Player },
): Proposer {
  switch (from.proposer) {
    case "self":
      return from.player;
    case "frozen":
      return livePlayer(run, world, from.start, "frozen");
    case "random":
      return null;
  }
}
