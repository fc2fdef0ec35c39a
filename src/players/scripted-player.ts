/** A seat filled by a function: known opponents, baselines, oracles of tests. It leaves text only. */
import { seedStream, withDeadline, type CallOptions, type Random } from "../base/index.ts";
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
      const answers: (string | Promise<string>)[] = [];
      for (let siblingIndex = 0; siblingIndex < request.count; siblingIndex++)
        answers.push(options.reply(request, seedStream(request.seed, siblingIndex)));
      // Most scripts answer at once, and a deadline for each of millions of turns would cost more than they do.
      const texts = answers.every(isText) ? answers : await waitFor(answers, options.name, call);
      return texts.map(textReply);
    },
  };
}

function isText(answer: string | Promise<string>): answer is string {
  return typeof answer === "string";
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
