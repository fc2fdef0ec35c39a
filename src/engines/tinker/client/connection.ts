/**
 * A session with a server: what it is, its key, its heartbeat, and the ways in which calls are bounded. Models,
 * samplers and checkpoints are made on top of it. Knows no loss.
 */
import {
  createRandom,
  isSparError,
  pause,
  SerialQueue,
  systemClock,
  withDeadline,
  type CallOptions,
  type Clock,
  type JsonObject,
} from "../../../base/index.ts";
import { engineError } from "../../../contract/index.ts";
import { tinkerError } from "../errors.ts";
import { detectProfile } from "../profiles/detect.ts";
import { defaultBackoff, type Backoff } from "../transport/backoff.ts";
import { Credentials } from "../transport/credentials.ts";
import { awaitResult, type QueueReport, type RawResult, type ResultOptions } from "../transport/futures.ts";
import { ConnectionLost, Http, type HttpAnswer } from "../transport/http.ts";
import { Requests, type SendOptions } from "../transport/requests.ts";
import {
  clientConfigAnswer,
  parseAnswer,
  parseJsonBytes,
  serverCapabilitiesAnswer,
  sessionAnswer,
  type ClientConfig,
  type ServerCapabilities,
} from "../wire/answers.ts";
import type { z } from "zod";
import type { ConnectOptions } from "./connect-options.ts";
import type { Profile } from "./profile.ts";

/** What the client calls itself. */
const clientVersion = "spar 0.1";
const defaultHeartbeatMs = 10_000;
const defaultPollMs = 45_000;
const heartbeatTimeoutMs = 10_000;

/**
 * Begins a session.
 *
 * @throws `server-unreachable`, `key-refused`, `unexpected-answer`
 */
export async function connect(options: ConnectOptions, call: CallOptions = {}): Promise<Connection> {
  const connection = new Connection(options);
  try {
    await connection.bounded("the beginning of a session", call, (signal) => connection.begin(signal));
    return connection;
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

interface BegunSession {
  readonly sessionId: string;
  readonly config: ClientConfig;
  readonly server: ServerCapabilities;
  readonly profile: Profile;
}

export class Connection {
  readonly clock: Clock;
  readonly url: string;
  /** For servers on which models are made one after another. */
  readonly creations: SerialQueue = new SerialQueue();
  readonly #options: ConnectOptions;
  readonly #http: Http;
  readonly #credentials: Credentials;
  readonly #requests: Requests;
  readonly #closing = new AbortController();
  #state: BegunSession | null = null;
  #modelCount = 0;
  #samplerCount = 0;
  #lost: Error | null = null;

  constructor(options: ConnectOptions) {
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.#http = new Http({ url: options.url, largestAnswerBytes: options.largestAnswerBytes ?? 2 ** 30 });
    this.url = this.#http.url;
    options.serverEnd?.addEventListener("abort", () => this.#closing.abort(), { once: true });
    this.#credentials = new Credentials(options.key ?? null, this.clock);
    this.#requests = new Requests({
      http: this.#http,
      credentials: this.#credentials,
      clock: this.clock,
      random: options.random ?? createRandom(0).split("tinker", "backoff"),
      backoff: options.backoff ?? defaultBackoff,
      mostInFlight: options.mostInFlight ?? 256,
      mostPolls: options.mostPolls ?? 1024,
      pollTimeoutMs: options.pollTimeoutMs ?? defaultPollMs,
      longestQueue: options.longestQueue ?? 100_000,
    });
  }

  get profile(): Profile {
    return this.#begun().profile;
  }

  get config(): ClientConfig {
    return this.#begun().config;
  }

  get server(): ServerCapabilities {
    return this.#begun().server;
  }

  get sessionId(): string {
    return this.#begun().sessionId;
  }

  /** Whether folders of this machine may be named. */
  get sharesFiles(): boolean {
    return this.#options.sharesFiles === true && this.server.spar?.sharesFiles === true;
  }

  get onQueue(): ((report: QueueReport) => void) | undefined {
    return this.#options.onQueue;
  }

  /** Fires when the session is closed. Work that has been sent is followed to its end by this signal alone. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  nextModelNumber(): number {
    return this.#modelCount++;
  }

  nextSamplerNumber(): number {
    return this.#samplerCount++;
  }

  /** @throws `engine-closed`, or what ended the session */
  checkOpen(): void {
    this.#throwServerEnd();
    if (this.#closing.signal.aborted)
      throw engineError("engine-closed", "expected an open session, this one was closed");
    if (this.#lost !== null) throw this.#lost;
  }

  /** Runs a call within its deadline, ended by its signal or by closing. */
  async bounded<T>(what: string, call: CallOptions, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.checkOpen();
    const signals = [this.#closing.signal, ...(call.signal === undefined ? [] : [call.signal])];
    const timeoutMs = call.timeoutMs ?? this.#options.timeoutMs ?? 1_800_000;
    const signal = AbortSignal.any(signals);
    try {
      return await withDeadline({ boundary: "engine", what, timeoutMs, signal }, start);
    } catch (thrown) {
      if (call.signal?.aborted !== true) this.#throwServerEnd();
      throw thrown;
    }
  }

  /** A call that answers at once. */
  async ask<T>(schema: z.ZodType<T>, options: SendOptions): Promise<T> {
    return parseAnswer(schema, await this.#requests.sendJson(options), `${options.method} ${options.path}`);
  }

  /** A call whose answer has no JSON, or none that matters. */
  async tell(options: SendOptions): Promise<HttpAnswer> {
    return this.#requests.send(options);
  }

  /** Pauses between attempts at what does not go through this connection. */
  backoff(what: string, signal: AbortSignal): Backoff {
    return this.#requests.backoff(what, signal);
  }

  async result(options: ResultOptions): Promise<RawResult> {
    return awaitResult(this.#requests, { onQueue: (report) => this.onQueue?.(report), ...options });
  }

  /** Tells the server that nobody waits for a request any more; what becomes of it is the server's. */
  cancel(requestId: string): void {
    if (!this.profile.cancelsRequests || this.#closing.signal.aborted) return;
    const body = { type: "json" as const, value: { request_id: requestId } };
    const signal = this.#closing.signal;
    this.#requests.attempt({ method: "POST", path: "cancel_future", body, signal }).catch(() => undefined);
  }

  /** Ends the session: calls under way end as `aborted`. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
  }

  async begin(signal: AbortSignal): Promise<void> {
    const json = (value: JsonObject) => ({ type: "json" as const, value });
    const config = await this.#readConfig(signal, json({ sdk_version: clientVersion }));
    if (config.exchangesKeys) this.#exchangeKeys();
    const server = await this.ask(serverCapabilitiesAnswer, {
      method: "GET",
      path: "get_server_capabilities",
      signal,
      canRepeat: true,
    });
    const sessionId = await this.ask(sessionAnswer, {
      method: "POST",
      path: "create_session",
      body: json({
        tags: [...(this.#options.tags ?? ["spar"])],
        user_metadata: {},
        sdk_version: clientVersion,
        type: "create_session",
      }),
      signal,
      canRepeat: true,
    });
    const profile = detectProfile({ asked: this.#options.profile, url: this.url, server });
    this.#state = { sessionId, config, server, profile };
    void this.#beat(sessionId);
  }

  /** A server without the path has no flags. */
  async #readConfig(signal: AbortSignal, body: SendOptions["body"]): Promise<ClientConfig> {
    try {
      return await this.ask(clientConfigAnswer, {
        method: "POST",
        path: "client/config",
        ...(body === undefined ? {} : { body }),
        signal,
        canRepeat: true,
      });
    } catch (thrown) {
      if (isSparError(thrown) && thrown.code === "not-found") return clientConfigAnswer.parse({});
      throw thrown;
    }
  }

  #exchangeKeys(): void {
    this.#credentials.exchangeWith(async (key) => {
      const answer = await this.#http.exchange(
        {
          method: "POST",
          path: "auth/token",
          body: { type: "json", value: {} },
          timeoutMs: 30_000,
          signal: this.#closing.signal,
        },
        key,
      );
      if (answer.status === 200) return parseJsonBytes(answer.bytes, "POST auth/token");
      throw tinkerError("key-refused", `POST auth/token: the server answered ${answer.status}`, {
        hint: "give the server's key",
      });
    });
  }

  /** A beat that is missed is not the end; that the server calls the session over is. */
  async #beat(sessionId: string): Promise<void> {
    const signal = this.#closing.signal;
    const what = "the pause between heartbeats";
    const timeoutMs = this.#options.heartbeatMs ?? defaultHeartbeatMs;
    while (!signal.aborted && this.#lost === null) {
      try {
        await pause({ boundary: "engine", what, timeoutMs, signal });
        const outcome = await this.#requests.attempt({
          method: "POST",
          path: "session_heartbeat",
          body: { type: "json", value: { session_id: sessionId, type: "session_heartbeat" } },
          timeoutMs: heartbeatTimeoutMs,
          signal,
        });
        if (outcome instanceof ConnectionLost) continue;
        if (outcome.status === 410 || outcome.status === 404) {
          this.#lost = tinkerError("not-found", `session ${sessionId} has ended on the server`, {
            hint: "start again from the last checkpoint",
            facts: { status: outcome.status },
          });
        }
      } catch (thrown) {
        if (signal.aborted) return;
        if (!isSparError(thrown)) throw thrown;
      }
    }
  }

  /** Whatever a call has met: that the server has gone is the reason. */
  #throwServerEnd(): void {
    const { serverEnd } = this.#options;
    if (serverEnd?.aborted === true) throw serverEnd.reason;
  }

  #begun(): BegunSession {
    if (this.#state === null) throw engineError("engine-closed", "expected a session that has begun");
    return this.#state;
  }
}

/** Parses a result that must be JSON. @throws `unexpected-answer` */
export function jsonResult<T>(schema: z.ZodType<T>, result: RawResult, what: string): T {
  const value = result.kind === "json" ? result.value : null;
  return parseAnswer(schema, value, `the result of ${what}`);
}
