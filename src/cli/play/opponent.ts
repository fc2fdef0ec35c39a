/** Whom a person plays against: a script, the solution of the game, a model behind an address, the result of a run. */
import { isSparError, SparError, type JsonValue } from "../../base/index.ts";
import type { Match } from "../../games/index.ts";
import { randomPlayer, remotePlayer, type Player } from "../../players/index.ts";
import type { Service } from "../../rollouts/index.ts";
import type { Shell } from "../shell.ts";
import { perfectOpponent } from "./perfect-opponent.ts";
import { runOpponent } from "./run-opponent.ts";

export interface OpponentRequest {
  /** `random`, `perfect`, an address, or a run. */
  readonly typed: string;
  readonly match: Match;
  /** That the match calls. */
  readonly services: Readonly<Record<string, Service>>;
  /** That was typed, else null. */
  readonly task: JsonValue | null;
  readonly model?: string | undefined;
  readonly policy?: string | undefined;
  readonly policyVersion?: number | undefined;
  readonly temperature: number;
  readonly engine?: string | undefined;
  readonly recipe?: string | undefined;
  readonly runsFolder?: string | undefined;
  readonly shell: Shell;
  readonly signal: AbortSignal;
}

export interface Opponent {
  labelIn(seat: string): string;
  playerIn(seat: string): Player;
  /** What it knows how to play; null where it can play anything. */
  readonly task: JsonValue | null;
  close(): Promise<void>;
}

export async function findOpponent(request: OpponentRequest): Promise<Opponent> {
  const { typed } = request;
  if (typed === "random") return everywhere(randomPlayer(), "a player of random legal replies");
  if (typed === "perfect") {
    const { player, label } = await perfectOpponent(request);
    return everywhere(player, label);
  }
  if (/^https?:\/\//u.test(typed)) return everywhere(remote(request), `${request.model ?? ""} at ${typed}`);
  try {
    return await runOpponent(request);
  } catch (thrown) {
    throw withOtherOpponents(thrown);
  }
}

/** A name that is no run may have been meant otherwise. */
function withOtherOpponents(thrown: unknown): unknown {
  if (!isSparError(thrown) || thrown.code !== "not-a-run") return thrown;
  const { code, boundary, message, hint } = thrown;
  const others = "or random, perfect, or the address of a server";
  return new SparError({ code, boundary, message, hint: `${hint}; ${others}`, cause: thrown });
}

function everywhere(player: Player, label: string): Opponent {
  return { labelIn: () => label, playerIn: () => player, task: null, close: () => Promise.resolve() };
}

/** @throws `invalid-option`, `remote-address` */
function remote({ typed, model, temperature, shell }: OpponentRequest): Player {
  if (model === undefined) {
    throw new SparError({
      code: "invalid-option",
      boundary: "command",
      message: `expected the name of a model beside the address ${typed}, got none`,
      hint: "add --model with the name that the server knows it by",
    });
  }
  // Never an argument: those are seen by everybody on the machine.
  const apiKey = shell.environment["SPAR_API_KEY"] ?? null;
  return remotePlayer({ baseUrl: typed, model, apiKey, temperature });
}
