/**
 * A game under watch: everything that passes between it and its table, in the order of the game, and
 * whether it changed what was not its own. It plays exactly as the game itself does.
 */
import { isDeepStrictEqual } from "node:util";
import type { JsonValue, Random } from "../../base/index.ts";
import type { Ask, CallOutcome, Game, Reply, Segment, Table } from "../../games/index.ts";

export type GameEvent =
  | { readonly kind: "draw"; readonly label: string; readonly outcome: unknown }
  | { readonly kind: "random"; readonly label: string }
  | {
      readonly kind: "ask";
      readonly seat: string;
      readonly prompt: readonly Segment[];
      /** All that this seat reads: what lies before in its conversation, then the prompt. */
      readonly words: readonly Segment[];
      readonly choices: readonly string[] | null;
      readonly position: string | null;
    }
  | { readonly kind: "reply"; readonly seat: string; readonly reply: Reply<JsonValue> }
  | {
      readonly kind: "call";
      readonly service: string;
      readonly input: JsonValue;
      readonly outcome: CallOutcome;
    };

export type AskEvent = Extract<GameEvent, { readonly kind: "ask" }>;

export class Watch {
  readonly events: GameEvent[] = [];
  readonly words: Map<string, readonly Segment[]> = new Map();
  readonly #handedOut: { readonly what: string; readonly value: unknown; readonly copy: unknown }[] = [];

  get asks(): readonly AskEvent[] {
    return this.events.filter((event) => event.kind === "ask");
  }

  /** Remembers what the game is given, to see later whether it was changed. */
  handOut<T>(what: string, value: T): T {
    this.#handedOut.push({ what, value, copy: structuredClone(value) });
    return value;
  }

  /** What the game changed although it was only given to read. */
  changed(): string[] {
    return this.#handedOut
      .filter(({ value, copy }) => !isDeepStrictEqual(value, copy))
      .map(({ what }) => what);
  }
}

/** Draws that are to come otherwise than by chance: the outcome as JSON, by label. */
export type ForcedDraws = ReadonlyMap<string, string>;

/** The same game, with a watch that sees one play. */
export function watchGame<Task extends JsonValue, Outcome extends JsonValue>(
  game: Game<Task, Outcome>,
  draws: ForcedDraws = new Map(),
): { readonly game: Game<Task, Outcome>; readonly watch: Watch } {
  const watch = new Watch();
  const play = (table: Table, task: Task): Promise<Outcome> =>
    game.play(new WatchedTable(table, watch, draws), watch.handOut("the task", task));
  return { game: { id: game.id, seats: game.seats, limits: game.limits, play }, watch };
}

class WatchedTable implements Table {
  readonly #table: Table;
  readonly #watch: Watch;
  readonly #draws: ForcedDraws;

  constructor(table: Table, watch: Watch, draws: ForcedDraws) {
    this.#table = table;
    this.#watch = watch;
    this.#draws = draws;
  }

  get left(): Table["left"] {
    return this.#table.left;
  }

  async ask<Parsed extends JsonValue>(seat: string, ask: Ask<Parsed>): Promise<Reply<Parsed>> {
    const words = this.#asked(seat, ask);
    return this.#replied(seat, words, await this.#table.ask(seat, ask));
  }

  async askSiblings<Parsed extends JsonValue>(
    seat: string,
    count: number,
    ask: Ask<Parsed>,
  ): Promise<readonly Reply<Parsed>[]> {
    const words = this.#asked(seat, ask);
    const replies = await this.#table.askSiblings(seat, count, ask);
    return replies.map((reply) => this.#replied(seat, words, reply));
  }

  async call(service: string, input: JsonValue): Promise<CallOutcome> {
    const outcome = await this.#table.call(service, input);
    this.#watch.events.push({ kind: "call", service, input, outcome });
    return this.#watch.handOut(`the answer of ${service}`, outcome);
  }

  draw<Outcome>(label: string, outcomes: readonly Outcome[]): Outcome {
    const outcome = this.#drawn(label, outcomes);
    this.#watch.events.push({ kind: "draw", label, outcome });
    return outcome;
  }

  #drawn<Outcome>(label: string, outcomes: readonly Outcome[]): Outcome {
    const forced = this.#draws.get(label);
    if (forced === undefined) return this.#table.draw(label, outcomes);
    const index = outcomes.findIndex((outcome) => JSON.stringify(outcome) === forced);
    const outcome = outcomes[index];
    if (outcome === undefined) throw new Error(`expected ${forced} among the outcomes of ${label}`);
    return outcome;
  }

  random(label: string): Random {
    this.#watch.events.push({ kind: "random", label });
    return this.#table.random(label);
  }

  #asked<Parsed extends JsonValue>(seat: string, ask: Ask<Parsed>): readonly Segment[] {
    const before = ask.from === undefined ? [] : (this.#watch.words.get(ask.from.turnId) ?? []);
    const words = [...before, ...ask.prompt];
    const { prompt, choices = null, position = null } = ask;
    this.#watch.events.push({ kind: "ask", seat, prompt, words, choices, position });
    return words;
  }

  #replied<Parsed extends JsonValue>(
    seat: string,
    words: readonly Segment[],
    reply: Reply<Parsed>,
  ): Reply<Parsed> {
    this.#watch.events.push({ kind: "reply", seat, reply });
    if (reply.kind === "turn") {
      const { turnId, text } = reply.turn;
      this.#watch.words.set(turnId, [...words, { kind: "text", role: "assistant", text }]);
    }
    return this.#watch.handOut(`a reply of ${seat}`, reply);
  }
}
