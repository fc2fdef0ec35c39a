/**
 * One ask of a game: answered from the record where there is one, from the player where there is none,
 * written down, and told to the game as a turn or a limit. Knows nothing of the order of answers.
 */
import { present, type CallOptions, type JsonValue, type OpenWaitOptions } from "../base/index.ts";
import type { Reply } from "../games/index.ts";
import type { PlayerReply, PlayerRequest } from "../players/index.ts";
import type { Turn } from "../records/index.ts";
import type { AskAnswer } from "./answers.ts";
import { checkReplies } from "./check-replies.ts";
import type { EpisodeState } from "./episode-state.ts";
import type { Place } from "./in-order.ts";
import { makeTurn, type PlacedAsk } from "./make-turn.ts";
import { requestOf } from "./player-request.ts";
import { toPlayerError } from "./rollout-errors.ts";
import { viewOf } from "./turn-view.ts";
import { TableWait } from "./waits.ts";

/** Finds or begins the answer to an ask. */
export function startAsk<Parsed extends JsonValue>(
  episode: EpisodeState,
  asked: PlacedAsk<Parsed>,
  place: Place<AskAnswer>,
): void {
  const { seat, count, sequence, digest } = asked;
  const { budget, clock } = episode;
  const { tokensLeft } = budget;
  const limit = budget.takeTurns(count);
  if (limit !== null) return place.came({ kind: "limit", limit });
  const recorded = episode.record?.take(sequence, { kind: "ask", seat, count, digest });
  if (recorded?.kind === "turns") {
    for (const { elapsedMs } of recorded.turns) clock.replayed(elapsedMs);
    return place.came({ kind: "turns", turns: recorded.turns.map(({ turn }) => turn) });
  }
  if (recorded?.kind === "refusal") {
    clock.replayed(recorded.refusal.elapsedMs);
    return place.came({ kind: "limit", limit: "time" });
  }
  clock.goOn();
  new PlayerWait(episode, place, asked).ask(tokensLeft);
}

class PlayerWait<Parsed extends JsonValue> extends TableWait<readonly PlayerReply[], AskAnswer> {
  readonly #asked: PlacedAsk<Parsed>;
  readonly #startMs: number;
  #request: PlayerRequest | null = null;

  constructor(episode: EpisodeState, place: Place<AskAnswer>, asked: PlacedAsk<Parsed>) {
    super(episode, place);
    this.#asked = asked;
    this.#startMs = episode.clock.elapsedMs();
  }

  ask(tokensLeft: number): void {
    const { ask, sequence } = this.#asked;
    const { contexts, options, budget } = this.episode;
    const leftMs = budget.leftMs(this.#startMs);
    if (leftMs <= 0) return this.outOfTime();
    const context = contexts.of(ask.from);
    this.#request = requestOf(this.#asked, { context, tokensLeft, seed: this.episode.seedOf(sequence) });
    this.wait({ timeoutMs: options.replyTimeoutMs, leftMs });
  }

  protected awaited(): Pick<OpenWaitOptions, "boundary" | "what"> {
    return { boundary: "player", what: `the reply of seat ${this.#asked.seat}` };
  }

  protected start(call: CallOptions): Promise<readonly PlayerReply[]> {
    return this.#asked.player.reply(present(this.#request, "a request"), call);
  }

  /** Makes turns of what came, and writes them down. */
  protected came(replies: readonly PlayerReply[]): void {
    const { options, clock } = this.episode;
    const { count, player, digest } = this.#asked;
    checkReplies(replies, { count, name: player.reference.name });
    const elapsedMs = clock.elapsedMs();
    const durationMs = elapsedMs - this.#startMs;
    const turns: Turn[] = [];
    for (let siblingIndex = 0; siblingIndex < count; siblingIndex++) {
      const reply = replies[siblingIndex];
      if (reply?.kind !== "reply") return this.place.came({ kind: "limit", limit: "context" });
      turns.push(makeTurn(this.#asked, reply, { episodeId: options.start.id, siblingIndex, durationMs }));
    }
    options.recorder.turns(turns, digest, elapsedMs);
    this.place.came({ kind: "turns", turns });
  }

  protected failed(thrown: unknown): void {
    this.place.failed(toPlayerError(thrown, this.#asked.seat));
  }

  protected outOfTime(): void {
    const { options, clock } = this.episode;
    options.recorder.refuse(options.start.id, this.#asked.sequence, clock.elapsedMs());
    this.place.came({ kind: "limit", limit: "time" });
  }
}

/** What the game is told. @throws `game-endless` */
export function repliesOf<Parsed extends JsonValue>(
  episode: EpisodeState,
  asked: PlacedAsk<Parsed>,
  answer: AskAnswer,
): Reply<Parsed>[] {
  const { ask, prompt, count } = asked;
  if (answer.kind === "limit") {
    episode.budget.countRefusal();
    return Array.from({ length: count }, () => answer);
  }
  return answer.turns.map((turn) => {
    const view = viewOf<Parsed>(turn);
    episode.turns.push(turn);
    episode.contexts.add(turn, view, { prompt, from: ask.from });
    episode.budget.useTokens(turn.logprobs.length);
    return { kind: "turn", turn: view };
  });
}
