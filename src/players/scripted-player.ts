/** A seat filled by a function: known opponents, baselines, oracles of tests. It leaves text only. */
import { createRandom, withDeadline, type CallOptions, type Random } from "../base/index.ts";
import type { Player, PlayerRequest } from "./player.ts";
import { textReply } from "./text-reply.ts";

export interface ScriptedPlayerOptions {
  readonly name: string;
  /** The reply to what was asked; chance comes from `random`, which is the same in every replay. */
  readonly reply: (request: PlayerRequest, random: Random) => string | Promise<string>;
}

const defaultTimeoutMs = 300_000;

/** Makes a player from a function. */
export function scriptedPlayer(options: ScriptedPlayerOptions): Player {
  return {
    reference: { kind: "scripted", name: options.name, version: null },
    reply: async (request, call) => {
      const answers = Array.from({ length: request.count }, (_value, siblingIndex) =>
        options.reply(request, createRandom(request.seed).split("sibling", siblingIndex)),
      );
      const texts = answers.filter((answer) => typeof answer === "string");
      // Most scripts answer at once, and a deadline for each of millions of turns would cost more than they do.
      const isDone = texts.length === answers.length;
      return (isDone ? texts : await waitFor(answers, options.name, call)).map(textReply);
    },
  };
}

function waitFor(
  answers: readonly (string | Promise<string>)[],
  name: string,
  { signal, timeoutMs = defaultTimeoutMs }: CallOptions,
): Promise<string[]> {
  const what = `the reply of the scripted player ${name}`;
  return withDeadline(
    { boundary: "player", what, timeoutMs, ...(signal === undefined ? {} : { signal }) },
    () => Promise.all(answers.map(async (answer) => answer)),
  );
}
