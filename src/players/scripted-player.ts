/** A seat filled by a function: known opponents, baselines, oracles of tests. It leaves text only. */
import { createRandom, type Random } from "../base/index.ts";
import type { Player, PlayerRequest } from "./player.ts";

export interface ScriptedPlayerOptions {
  readonly name: string;
  /** The reply to what was asked; chance comes from `random`, which is the same in every replay. */
  readonly reply: (request: PlayerRequest, random: Random) => string | Promise<string>;
}

/** Makes a player from a function. */
export function scriptedPlayer(options: ScriptedPlayerOptions): Player {
  return {
    reference: { kind: "scripted", name: options.name, version: null },
    reply: async (request) =>
      Promise.all(
        Array.from({ length: request.count }, async (_value, siblingIndex) => ({
          kind: "reply" as const,
          spans: [],
          startsNewContext: false,
          logprobs: new Float32Array(),
          text: await options.reply(request, createRandom(request.seed).split("sibling", siblingIndex)),
          finishReason: null,
          sampling: null,
        })),
      ),
  };
}
