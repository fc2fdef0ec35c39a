/** One request of a remote player: sent again within a bound where that can help, read with a schema. */
import { z } from "zod";
import { pause, type SparError } from "../../base/index.ts";
import { playerError } from "../player-errors.ts";
import type { SendChat } from "./openai-client.ts";
import { retryAfterMs, toRemoteError, type RemotePlace } from "./remote-errors.ts";

export interface RetryOptions {
  /** Tries after the first one. */
  readonly retryCount: number;
  /** Before the second try; doubles with each further one, up to 30 s. */
  readonly retryDelayMs: number;
}

export interface CompletionRequest {
  readonly send: SendChat;
  readonly body: Readonly<Record<string, unknown>>;
  readonly place: RemotePlace;
  readonly retries: RetryOptions;
  readonly signal: AbortSignal;
}

export interface Completion {
  readonly text: string;
  readonly isCut: boolean;
}

const longestDelayMs = 30_000;

const answerSchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
});

/**
 * The choices of one request, at least one.
 *
 * @throws codes that begin with `remote-`; `aborted`
 */
export async function complete(request: CompletionRequest): Promise<Completion[]> {
  const { send, body, place, retries, signal } = request;
  for (let attempt = 0; ; attempt++) {
    let error: SparError;
    let askedDelayMs: number | null = null;
    try {
      return readAnswer(await send(body, signal), place);
    } catch (thrown) {
      error = toRemoteError(thrown, place);
      askedDelayMs = retryAfterMs(thrown);
    }
    if (signal.aborted || !error.retryable || attempt >= retries.retryCount) throw error;
    const usualDelayMs = Math.min(retries.retryDelayMs * 2 ** attempt, longestDelayMs);
    await pause({
      boundary: "player",
      what: `the next try at ${place.baseUrl}`,
      timeoutMs: Math.max(usualDelayMs, askedDelayMs ?? 0),
      signal,
    });
  }
}

/** @throws `remote-unreadable`, `remote-empty` */
function readAnswer(answer: unknown, { baseUrl, model }: RemotePlace): Completion[] {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) {
    throw playerError(
      "remote-unreadable",
      `expected a chat completion of ${baseUrl}, got something else: ${z.prettifyError(parsed.error)}`,
      { hint: "check the base address, which mostly ends in /v1", facts: { model } },
    );
  }
  return parsed.data.choices.map(({ message, finish_reason: reason }) => {
    const isCut = reason === "length";
    const text = message.content ?? message.refusal ?? (isCut ? "" : null);
    if (text !== null) return { text, isCut };
    throw playerError(
      "remote-empty",
      `expected a reply with text of the model ${model}, got one without (finish reason ${reason ?? "none"})`,
      {
        hint: "some servers give thoughts or tool calls in its place; switch them off",
        retryable: true,
        facts: { model },
      },
    );
  });
}
