/**
 * What the tests of games share: the game with what its author says about it, and plays of it at a real
 * table, by players of every kind of skill and ill will. Knows no rules.
 */
import { expect } from "vitest";
import { z } from "zod";
import type { Clock, JsonValue, Random } from "../../base/index.ts";
import type { Game, Match, MatchOutcome } from "../../games/index.ts";
import { scriptedPlayer, type Player, type PlayerRequest } from "../../players/index.ts";
import type { EpisodeEnd, EpisodeLimits } from "../../records/index.ts";
import { playEpisodes, type Service } from "../../rollouts/index.ts";
import { EpisodeMemory, stepOutsideRuns } from "./episode-memory.ts";
import { gameEndLines, matchEndLines, transcriptLines } from "./transcript.ts";
import { watchGame, type ForcedDraws, type Watch } from "./watched-game.ts";

/** What was dealt and said before a seat is asked. */
export interface Dealt<Task extends JsonValue> {
  readonly task: Task;
  /** Outcomes of `table.draw` so far, by label. */
  readonly draws: Readonly<Record<string, unknown>>;
  readonly replies: readonly { readonly seat: string; readonly text: string }[];
}

/** Words that a seat must not read. */
export interface Secret {
  readonly hiddenFrom: string;
  /** As they are written in prompts, in this case; choose a task in which they stand for nothing else. */
  readonly words: readonly string[];
}

export interface DescribeGameOptions<Task extends JsonValue> {
  /** The recorded transcript: a file beside the test, `new URL("transcript.txt", import.meta.url)`. */
  readonly transcript: URL;
  /** What is played; default: the default task of a match alone. Other games must have one here. */
  readonly tasks?: readonly Task[];
  readonly services?: Readonly<Record<string, Service>>;
  /** A legal reply to an ask that lists no choices. */
  readonly reply?: (request: PlayerRequest, random: Random) => string;
  /** Replies that can be read and that the rules always refuse: a cell that is not on the board. */
  readonly illegalReplies?: readonly string[];
  /** Who must not read what; required of a match that states hidden information. */
  readonly secrets?: (dealt: Dealt<Task>) => readonly Secret[];
}

export interface Play {
  readonly task: JsonValue;
  readonly seed: number;
  readonly end: EpisodeEnd;
  readonly watch: Watch;
  readonly memory: EpisodeMemory;
}

export interface PlayOptions<Task extends JsonValue> {
  readonly task: Task;
  readonly seed: number;
  /** Default: picks among the choices. */
  readonly player?: Player;
  readonly limits?: Partial<EpisodeLimits>;
  readonly clock?: Clock;
  /** What an earlier try left. */
  readonly memory?: EpisodeMemory;
  readonly draws?: ForcedDraws;
}

export class GameUnderTest<Task extends JsonValue = JsonValue> {
  readonly game: Game<Task>;
  /** The game, where it is a match: then there is more to test. */
  readonly match: Match<Task> | null;
  readonly options: DescribeGameOptions<Task>;

  constructor(game: Game<Task>, options: DescribeGameOptions<Task>) {
    this.game = game;
    this.match = isMatch(game) ? game : null;
    this.options = options;
  }

  get title(): string {
    return this.match?.title ?? this.game.id;
  }

  get tasks(): readonly Task[] {
    const { tasks = this.match === null ? [] : [this.match.defaultTask] } = this.options;
    if (tasks.length === 0)
      throw new Error(`pass \`tasks\` to describeGame: ${this.game.id} has no default task`);
    return tasks;
  }

  /** A reply that the rules accept. */
  legalReply(request: PlayerRequest, random: Random): string {
    if (request.choices !== null) return random.pick(request.choices);
    if (this.options.reply === undefined)
      throw new Error(`seat ${request.seat} is asked without choices: pass \`reply\` to describeGame`);
    return this.options.reply(request, random);
  }

  randomPlayer(): Player {
    return scriptedPlayer({ name: "random", reply: (request, random) => this.legalReply(request, random) });
  }

  async play(options: PlayOptions<Task>): Promise<Play> {
    const { task, seed, limits, clock, memory = new EpisodeMemory() } = options;
    const { game, watch } = watchGame(this.game, options.draws);
    const player = options.player ?? this.randomPlayer();
    const [episode] = await playEpisodes({
      step: stepOutsideRuns({ seed, recorder: memory, ...(clock === undefined ? {} : { clock }) }),
      game,
      tasks: [{ id: "task", task }],
      seats: Object.fromEntries(this.game.seats.map((seat) => [seat, player])),
      services: this.options.services ?? {},
      maximumFailedShare: 1,
      ...(limits === undefined ? {} : { limits }),
    });
    if (episode === undefined) throw new Error("expected one episode");
    return { task, seed, end: episode.end, watch, memory };
  }

  /** Random play, `countPerTask` seeds of each task. */
  async *plays(countPerTask: number): AsyncGenerator<Play & { readonly task: Task }> {
    for (const task of this.tasks)
      for (let seed = 1; seed <= countPerTask; seed++) yield { ...(await this.play({ task, seed })), task };
  }

  transcript(play: Play): string[] {
    const { task, watch } = play;
    const end = this.match === null ? gameEndLines(endOf(play)) : matchEndLines(outcomeOf(play));
    return transcriptLines({ task, events: watch.events, end });
  }
}

function isMatch<Task extends JsonValue>(game: Game<Task>): game is Match<Task> {
  return "facts" in game;
}

/** Requires that a play ended by the rules; what it came to. */
export function endOf({ end }: Play): JsonValue {
  if (end.kind === "failed")
    expect.fail(`expected a play that ends, it failed with ${end.failure.code}: ${end.failure.message}`);
  return end.outcome;
}

/** Requires that a play of a match ended by the rules, with an outcome of the right form. */
export function outcomeOf(play: Play): MatchOutcome {
  const read = outcomeSchema.safeParse(endOf(play));
  if (!read.success) expect.fail(`expected returns, forfeitedBy and how: ${z.prettifyError(read.error)}`);
  return read.data;
}

const outcomeSchema = z.strictObject({
  returns: z.record(z.string(), z.number()),
  forfeitedBy: z.string().nullable(),
  how: z.string().regex(/\S/u),
  final: z.string().regex(/\S/u).exactOptional(),
});
