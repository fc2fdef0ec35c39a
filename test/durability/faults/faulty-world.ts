/**
 * The surroundings of a run with faults in them: engine, player, service, clock, disk, and somebody who
 * presses ctrl-C. Each fault strikes once, where its plan says; everything else is as it should be.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock, type CallOptions, type Clock, type JsonValue } from "../../../src/base/index.ts";
import {
  engineError,
  type Engine,
  type PolicyVersion,
  type SampleResponse,
} from "../../../src/contract/index.ts";
import type { Player, PlayerReply } from "../../../src/players/index.ts";
import { Database } from "../../../src/store/database.ts";
import { storeError } from "../../../src/store/index.ts";
import {
  interceptEngine,
  type EngineCall,
  type Perform,
} from "../../fixtures/durability/intercept-engine.ts";
import type { SmallHooks } from "../../fixtures/durability/small-recipe.ts";
import type { EngineUnderFault } from "./engines-under-fault.ts";
import { isRepeatable, type Fault } from "./fault-plan.ts";
import { StaleSampler } from "./stale-sampler.ts";
import { threadsAlive } from "./threads.ts";

const hourMs = 3_600_000;

type FaultAt<At extends Fault["at"]> = Extract<Fault, { readonly at: At }>;

export class FaultyWorld {
  /** Faults that struck, to tell what a run went through. */
  readonly struck: Fault[] = [];
  readonly stop: AbortController = new AbortController();
  readonly clock: Clock = {
    nowMs: () => systemClock.nowMs() + this.#readClock().dateMs,
    monotonicMs: () => systemClock.monotonicMs() + this.#readClock().tickMs,
  };
  readonly #faults: readonly Fault[];
  readonly #counts = new Map<string, number>();
  readonly #offset = { dateMs: 0, tickMs: 0 };
  /** Of every wait in this world. */
  readonly waitMs: number;
  readonly #engine: EngineUnderFault;
  readonly #stale = new StaleSampler();
  #isDead = false;

  constructor(engine: EngineUnderFault, faults: readonly Fault[], longestWaitMs: number) {
    this.#engine = engine;
    this.#faults = faults;
    this.waitMs = longestWaitMs;
  }

  get hooks(): SmallHooks {
    return {
      timeoutMs: this.waitMs,
      player: (player) => ({ ...player, reply: (request, call) => this.#reply(player, request, call) }),
      double: (input, call) => this.#double(input, call.signal),
    };
  }

  readonly engineFactory = async (signal: AbortSignal): Promise<Engine> => {
    const start = this.#next("start");
    if (start?.way === "throw") throw new Error("the engine was told not to start");
    if (start?.way === "hang") await forever(signal);
    if (start?.way === "late") await sleep(this.#engine.lateMs);
    const inner = await this.#engine.start(this.waitMs);
    const engine = interceptEngine(inner, (call, perform) => this.#engineCall(call, perform));
    return new Proxy(engine, {
      get: (target, key): unknown =>
        key === "close" ? () => this.#close(inner) : Reflect.get(target, key, target),
    });
  };

  /** Makes commits fail where it is planned, until the returned function is called. */
  breakDisk(): () => void {
    const execute = Reflect.get<Database, "execute">(Database.prototype, "execute");
    const next = (): FaultAt<"disk"> | null => this.#next("disk");
    Database.prototype.execute = function (sql) {
      const fault = sql === "COMMIT" ? next() : null;
      if (fault === null || fault.way === "lost") Reflect.apply(execute, this, [sql]);
      if (fault !== null) throw storeError(fault.way === "full" ? "disk-full" : "disk-failed", "told to");
    };
    return () => void (Database.prototype.execute = execute);
  }

  async #engineCall(call: EngineCall, perform: Perform): Promise<unknown> {
    this.#press(this.#next("stop"));
    if (this.#next("death") !== null) this.#isDead = true;
    if (this.#isDead) throw engineError("engine-failed", "the engine is gone");
    const thread = this.#next("thread");
    if (thread !== null) setTimeout(endThreads, thread.afterMs);
    return this.#strike(call, (given = call.given) => this.#sampleStale(call.name, given, perform));
  }

  #press(stop: FaultAt<"stop"> | null): void {
    if (stop === null) return;
    if (stop.afterMs === undefined) this.stop.abort();
    else setTimeout(() => this.stop.abort(), stop.afterMs);
  }

  async #sampleStale(name: string, given: readonly unknown[], perform: Perform): Promise<unknown> {
    const answer = await perform(this.#stale.lead(given));
    if (name === "publish") this.#stale.published(answer as PolicyVersion, this.#next("stale") !== null);
    return answer;
  }

  async #strike({ name, given }: EngineCall, perform: Perform): Promise<unknown> {
    const cancel = this.#next("cancel", name);
    if (cancel !== null) return cancelled(cancel, given, perform);
    const fault = this.#next("engine", name);
    switch (fault?.way) {
      case undefined:
        return perform();
      case "fail":
        throw engineError("engine-failed", `told to fail ${name}`, { retryable: true });
      case "throw":
        throw new TypeError(`told to throw at ${name}`);
      case "full-disk":
        throw Object.assign(new Error("ENOSPC: told to"), { code: "ENOSPC" });
      case "hang":
        return forever(callSignal(given));
      case "late":
        await sleep(this.#engine.lateMs);
        return perform();
      case "lost":
        await perform();
        throw engineError("answer-lost", `the answer to ${name} was lost`);
      case "twice":
        return twice(await perform());
    }
  }

  async #close(inner: Engine): Promise<void> {
    const fault = this.#next("close");
    await inner.close();
    if (fault?.way === "throw") throw new Error("the engine was told not to close");
    if (fault?.way === "hang") await forever(undefined);
  }

  async #reply(
    player: Player,
    ...[request, call]: Parameters<Player["reply"]>
  ): Promise<readonly PlayerReply[]> {
    const fault = this.#next("player");
    switch (fault?.way) {
      case undefined:
        return player.reply(request, call);
      case "throw":
        throw new Error("the player was told to throw");
      case "hang":
        return forever(call.signal);
      case "late":
        await sleep(this.#engine.lateMs);
        return player.reply(request, call);
      case "nothing":
        return [];
      case "twice":
        return twice(await player.reply(request, call));
      case "megabyte":
        return withText(await player.reply(request, call), "m".repeat(1 << 20));
      case "noise":
        return withText(await player.reply(request, call), "\u0000\u001b[2J\ud800\u202e\n");
      case "others-turn":
        return player.reply({ ...request, count: request.count + 1 }, call);
    }
  }

  async #double(input: JsonValue, signal: AbortSignal | undefined): Promise<JsonValue> {
    const fault = this.#next("service");
    const answer = Number(input) * 2;
    switch (fault?.way) {
      case undefined:
        return answer;
      case "throw":
        throw new Error("the service was told to throw");
      case "hang":
        return forever(signal);
      case "late":
        await sleep(this.#engine.lateMs);
        return answer;
      case "nothing":
        return undefined as unknown as JsonValue;
      case "not-json":
        return (() => answer) as unknown as JsonValue;
      case "megabyte":
        return "m".repeat(1 << 20);
    }
  }

  #readClock(): { readonly dateMs: number; readonly tickMs: number } {
    const way = this.#next("clock")?.way;
    if (way === "forwards") this.#offset.tickMs += hourMs;
    if (way === "backwards") this.#offset.tickMs -= hourMs;
    if (way === "date-forwards") this.#offset.dateMs += hourMs;
    if (way === "date-backwards") this.#offset.dateMs -= hourMs;
    return this.#offset;
  }

  /** Counts one more of what can fail, and says what befalls it. */
  #next<At extends Fault["at"]>(at: At, call = ""): FaultAt<At> | null {
    const key = `${at} ${call}`;
    const nth = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, nth);
    const isThis = (fault: Fault): fault is FaultAt<At> =>
      fault.at === at &&
      (!("call" in fault) || fault.call === call) &&
      (!("nth" in fault) || fault.nth === nth);
    const fault = this.#faults.find(isThis) ?? null;
    if (fault !== null) this.struck.push(fault);
    return fault;
  }
}

function endThreads(): void {
  for (const thread of threadsAlive()) void thread.terminate();
}

/** Cancels a call in its middle, and where that is harmless asks again: nobody may see the difference. */
async function cancelled(
  { call, afterMs }: FaultAt<"cancel">,
  given: readonly unknown[],
  perform: Perform,
): Promise<unknown> {
  const outer = callSignal(given);
  if (outer === undefined) return perform();
  const controller = new AbortController();
  const signal = AbortSignal.any([outer, controller.signal]);
  const timer = setTimeout(() => controller.abort(), afterMs);
  try {
    return await perform([...given.slice(0, -1), { ...(given.at(-1) as CallOptions), signal }]);
  } catch (thrown) {
    if (outer.aborted || !isRepeatable(call)) throw thrown;
    return await perform();
  } finally {
    clearTimeout(timer);
  }
}

/** The signal of a call, which is in its last argument where there is one. */
function callSignal(given: readonly unknown[]): AbortSignal | undefined {
  const last = given.at(-1);
  if (typeof last !== "object" || last === null || !("signal" in last)) return undefined;
  return last.signal instanceof AbortSignal ? last.signal : undefined;
}

/** Ends with the signal, as whoever keeps to the contract does; nothing is kept alive by it. */
function forever(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function twice<T>(answer: T): T {
  if (Array.isArray(answer)) return [...answer, ...answer] as T;
  if (typeof answer !== "object" || answer === null || !("sequences" in answer)) return answer;
  const { sequences } = answer as unknown as SampleResponse;
  return { ...answer, sequences: [...sequences, ...sequences] };
}

function withText(replies: readonly PlayerReply[], text: string): PlayerReply[] {
  return replies.map((reply) => (reply.kind === "reply" ? { ...reply, text } : reply));
}
