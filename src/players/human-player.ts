/**
 * A seat filled by a person. Shows what the seat knows, takes a line, and asks again where the game
 * would not accept it. Who types and where is the caller's: the terminal comes in as an interface, so
 * that a browser or a test can take its place. Knows no rules beyond the words that it was given.
 */
import { throwIfAborted, withDeadline, type CallOptions } from "../base/index.ts";
import type { Player, PlayerReply, PlayerRequest } from "./player.ts";
import { playerError } from "./player-errors.ts";
import { textReply } from "./text-reply.ts";

/** Lines out and lines in. */
export interface LineTerminal {
  /** Shows lines, which may hold anything that a game or an opponent wrote. */
  show(...lines: readonly string[]): void;
  /** The next line that is typed, without its end; null where no more will come. */
  readLine(signal: AbortSignal): Promise<string | null>;
}

export interface HumanPlayerOptions {
  /** In records; default `human`. */
  readonly name?: string;
  readonly terminal: LineTerminal;
  /** Shown where the person types `?`. */
  readonly rules?: string;
  /**
   * How often a line that is none of the choices is asked for again; after that it is given to the
   * game as it is, which mostly means a forfeit. Default 5.
   */
  readonly maximumTries?: number;
}

const defaultTimeoutMs = 3_600_000;
const longestQuote = 60;

/** Makes a player of a person. Its replies throw `input-closed` where no more lines come. */
export function humanPlayer(options: HumanPlayerOptions): Player {
  const { name = "human" } = options;
  return {
    reference: { kind: "human", name, version: null },
    reply: (request, call) => {
      const timeoutMs = call.timeoutMs ?? defaultTimeoutMs;
      const wait = { boundary: "player", what: `the reply of ${name}`, timeoutMs } as const;
      return withDeadline({ ...wait, ...signalOf(call) }, async (signal) => {
        const replies: PlayerReply[] = [];
        for (let index = 0; index < request.count; index++) {
          if (request.count > 1) options.terminal.show(`reply ${index + 1} of ${request.count}`);
          replies.push(textReply(await askPerson(options, request, signal)));
        }
        throwIfAborted(signal, wait);
        return replies;
      });
    },
  };
}

async function askPerson(
  options: HumanPlayerOptions,
  request: PlayerRequest,
  signal: AbortSignal,
): Promise<string> {
  const { terminal, maximumTries = 5 } = options;
  terminal.show(...linesOf(request));
  for (let triesLeft = maximumTries; ;) {
    const line = await terminal.readLine(signal);
    if (line === null) throw inputClosed(request.seat);
    const typed = line.trim();
    if (typed === "?") {
      terminal.show(options.rules ?? "this game has no written rules", expectation(request));
      continue;
    }
    const accepted = accept(typed, request);
    if (accepted !== null) return (request.force ?? "") + accepted;
    if (triesLeft-- <= 0) return (request.force ?? "") + typed;
    terminal.show(`${quoted(typed)} is no reply here: ${expectation(request)}`);
  }
}

/** What the seat knows, as the game says it to people; where it does not, the prompt. */
function linesOf(request: PlayerRequest): string[] {
  const { position, segments, force } = request;
  const prompt = segments.map((segment) =>
    segment.kind === "text" ? segment.text : `[image ${segment.imageDigest.slice(0, 12)}]`,
  );
  return [
    ...(position === null ? prompt : [position]),
    ...(force === null ? [] : [`your reply begins with: ${force}`]),
    `You are ${request.seat}: ${expectation(request)}`,
  ];
}

function expectation({ choices }: PlayerRequest): string {
  return choices === null
    ? "type your reply (? shows the rules)"
    : `one of ${choices.join(", ")} (? shows the rules)`;
}

/** The reply that was meant, or null. Without choices everything but an empty line is one. */
function accept(typed: string, { choices }: PlayerRequest): string | null {
  if (choices === null) return typed === "" ? null : typed;
  if (choices.includes(typed)) return typed;
  const alike = choices.filter((choice) => choice.trim().toLowerCase() === typed.toLowerCase());
  return alike.length === 1 ? (alike[0] ?? null) : null;
}

function quoted(typed: string): string {
  if (typed === "") return "an empty line";
  return JSON.stringify(typed.length <= longestQuote ? typed : `${typed.slice(0, longestQuote)}...`);
}

function signalOf({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal };
}

function inputClosed(seat: string): Error {
  return playerError("input-closed", `the input ended while seat ${seat} was to reply`, {
    hint: "give a line for every reply of the game",
  });
}
