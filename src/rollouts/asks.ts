/**
 * One ask of a game: answered from the record where there is one, from the player where there is none,
 * written down, and told to the game as a turn or a limit. Knows nothing of the order of answers.
 */
import type { JsonValue } from "../base/index.ts";
import type { Reply } from "../games/index.ts";
import type { PlayerReply } from "../players/index.ts";
import type { Turn } from "../records/index.ts";
import type { AskAnswer } from "./answers.ts";
import { checkReplies } from "./check-replies.ts";
import type { EpisodeState } from "./episode-state.ts";
import type { Place } from "./in-order.ts";
import { makeTurn, type PlacedAsk } from "./make-turn.ts";
import { requestOf } from "./player-request.ts";
import { toPlayerError } from "./rollout-errors.ts";
import { viewOf } from "./turn-view.ts";
import { waitFor } from "./waits.ts";

/** Finds or begins the answer to an ask. */
export function startAsk<Parsed extends JsonValue>(
  episode: EpisodeState,
  asked: PlacedAsk<Parsed>,
  place: Place<AskAnswer>,
): void {
  const { seat, count, sequence, digest, ask, player } = asked;
  const { budget, clock, options } = episode;
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
    return place.came(outOfTime);
  }
  clock.goOn();
  const startMs = clock.elapsedMs();
  const refuse = (): void => {
    options.recorder.refuse(options.start.id, sequence, clock.elapsedMs());
    place.came(outOfTime);
  };
  const leftMs = budget.leftMs(startMs);
  if (leftMs <= 0) return refuse();
  const context = episode.contexts.of(ask.from?.turnId ?? null);
  const request = requestOf(asked, { context, tokensLeft, seed: episode.seedOf(sequence) });
  waitFor<readonly PlayerReply[]>(episode, {
    boundary: "player",
    what: `the reply of seat ${seat}`,
    timeoutMs: options.replyTimeoutMs,
    leftMs,
    start: (call) => player.reply(request, call),
    came: (replies) => place.came(accept(episode, { asked, replies, startMs })),
    failed: (thrown) => place.failed(toPlayerError(thrown, seat)),
    outOfTime: refuse,
  });
}

const outOfTime = { kind: "limit", limit: "time" } as const;

/** Makes turns of what came, and writes them down. */
function accept<Parsed extends JsonValue>(
  episode: EpisodeState,
  came: {
    readonly asked: PlacedAsk<Parsed>;
    readonly replies: readonly PlayerReply[];
    readonly startMs: number;
  },
): AskAnswer {
  const { asked, replies, startMs } = came;
  const { options, clock } = episode;
  checkReplies(replies, { count: asked.count, name: asked.player.reference.name });
  const elapsedMs = clock.elapsedMs();
  const durationMs = elapsedMs - startMs;
  const turns: Turn[] = [];
  for (const [siblingIndex, reply] of replies.entries()) {
    if (reply.kind === "limit") return { kind: "limit", limit: "context" };
    turns.push(makeTurn(asked, reply, { episodeId: options.start.id, siblingIndex, durationMs }));
  }
  options.recorder.turns(turns, asked.digest, elapsedMs);
  return { kind: "turns", turns };
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
    episode.turns.push(turn);
    episode.contexts.add(turn, prompt, ask.from?.turnId ?? null);
    episode.budget.useTokens(turn.logprobs.length);
    return { kind: "turn", turn: viewOf<Parsed>(turn) };
  });
}
