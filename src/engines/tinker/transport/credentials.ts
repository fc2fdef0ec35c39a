/**
 * The key, or the token that it is exchanged for. It goes into one header and nowhere else: no message, log or fact
 * of an error holds it.
 */
import { z } from "zod";
import type { Clock } from "../../../base/index.ts";
import { parseAnswer } from "../wire/answers.ts";

const tokenAnswer = z.object({ jwt: z.string().min(1) });
const claims = z.object({ exp: z.number(), iat: z.number() });

/** Where a token says nothing of its life. */
const unknownLifeMs = 60_000;

export class Credentials {
  readonly #key: string | null;
  readonly #clock: Clock;
  #token: { readonly text: string; readonly renewAtMs: number } | null = null;
  #renewal: Promise<string> | null = null;
  #exchange: ((key: string) => Promise<unknown>) | null = null;

  constructor(key: string | null, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /** From now on the key is exchanged for tokens by this request. */
  exchangeWith(exchange: (key: string) => Promise<unknown>): void {
    this.#exchange = exchange;
  }

  /** What to send now. */
  async current(): Promise<string | null> {
    if (this.#exchange === null || this.#key === null) return this.#key;
    if (this.#token !== null && this.#clock.monotonicMs() < this.#token.renewAtMs) return this.#token.text;
    return this.#renew(this.#key, this.#exchange);
  }

  /** Whether another try with a new token makes sense after a refusal. */
  forget(): boolean {
    const hadToken = this.#token !== null;
    this.#token = null;
    return hadToken;
  }

  #renew(key: string, exchange: (key: string) => Promise<unknown>): Promise<string> {
    this.#renewal ??= exchange(key)
      .then((answer) => {
        const { jwt } = parseAnswer(tokenAnswer, answer, "POST auth/token");
        const renewAtMs = this.#clock.monotonicMs() + lifeMs(jwt) / 2;
        this.#token = { text: jwt, renewAtMs };
        return jwt;
      })
      .finally(() => {
        this.#renewal = null;
      });
    return this.#renewal;
  }
}

/** By the server's own two times, so that clocks that differ do no harm. */
function lifeMs(token: string): number {
  try {
    const body: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    const { exp, iat } = claims.parse(body);
    return exp > iat ? (exp - iat) * 1000 : unknownLifeMs;
  } catch {
    return unknownLifeMs;
  }
}
