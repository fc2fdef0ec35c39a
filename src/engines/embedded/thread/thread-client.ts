/**
 * The caller's side of the engine's thread: starts it, sends calls, ends waits by deadline or signal. It keeps the
 * process alive only while a call is under way. Knows calls by name, not what they do.
 */
import { Worker } from "node:worker_threads";
import {
  abortedError,
  messageOf,
  withDeadline,
  type CallOptions,
  type SparError,
} from "../../../base/index.ts";
import { engineError } from "../../../contract/index.ts";
import type {
  ArgumentsOf,
  CallMessage,
  EngineAnswer,
  EngineCallName,
  EngineThreadData,
  FromEngine,
  ResultOf,
  ToEngine,
  TokenArrays,
} from "./protocol.ts";
import { memoryExhausted } from "../executor/heap.ts";
import { fromPlainError, isOutOfMemory } from "./plain-error.ts";

export type AnswerOutputs = (outputs: TokenArrays<Float32Array>) => TokenArrays<Float64Array>;

export interface CallSite<Name extends EngineCallName> {
  readonly name: Name;
  readonly arguments: ArgumentsOf<Name>;
  readonly call: CallOptions | undefined;
  /** For a custom loss: turns outputs into gradients, on this thread. */
  readonly answer?: AnswerOutputs;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (failure: unknown) => void;
  readonly answer: AnswerOutputs | undefined;
}

/** Calls that read or write files. */
const fileCalls: ReadonlySet<EngineCallName> = new Set(["createModel", "save", "load", "export"]);
/** For those of them that are under way when the engine is closed. */
const filesTimeoutMs = 5_000;

/** An hour: long enough for any call that makes progress, short enough that nothing hangs for ever. */
const defaultTimeoutMs = 3_600_000;

export class ThreadClient {
  private readonly thread: Worker;
  private readonly pending = new Map<number, Pending>();
  private readonly closing = new AbortController();
  private outbox: CallMessage[] = [];
  private nextId = 1;
  private failure: SparError | undefined;
  /** Calls that have been sent and may have files open, also where nobody waits for them any more. */
  private readonly withFiles = new Set<number>();
  private filesClosed: () => void = () => undefined;

  constructor(workerData: EngineThreadData) {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    // The flags of the process are not those of the thread: some, such as --input-type, would stop it.
    this.thread = new Worker(new URL(`./engine-thread.${extension}`, import.meta.url), {
      workerData,
      execArgv: [],
    });
    this.thread.unref();
    this.thread.on("message", (answers: FromEngine) => answers.forEach((answer) => this.receive(answer)));
    this.thread.on("error", (cause) => this.fail(threadError(cause)));
    this.thread.on("exit", () =>
      this.fail(
        engineError("engine-failed", "the thread of the embedded engine ended", {
          hint: "start the engine again; a run goes on from its last step when it is resumed",
        }),
      ),
    );
  }

  async call<Name extends EngineCallName>(site: CallSite<Name>): Promise<ResultOf<Name>> {
    this.checkOpen();
    const signals = site.call?.signal === undefined ? [] : [site.call.signal];
    const wait = {
      boundary: "engine" as const,
      what: `the answer of the embedded engine to ${site.name}`,
      timeoutMs: site.call?.timeoutMs ?? defaultTimeoutMs,
      signal: AbortSignal.any([this.closing.signal, ...signals]),
    };
    const result = await withDeadline(wait, (signal) => this.send(site, signal));
    // The engine's side of the protocol pairs each result with its name.
    return result as ResultOf<Name>;
  }

  /** @throws `engine-closed`, or why the thread failed */
  checkOpen(): void {
    if (this.closing.signal.aborted)
      throw engineError("engine-closed", "expected an open engine, this one was closed");
    if (this.failure !== undefined) throw this.failure;
  }

  /** Ends every call with `aborted` and the thread with its helpers. What it writes is first written or given up. */
  async close(): Promise<void> {
    this.closing.abort();
    // Nothing else may keep the process alive by now, and then the wait would never end.
    this.thread.ref();
    await this.closeFiles();
    await this.thread.terminate();
  }

  /** A thread that is ended while it opens a file leaves the file open, and half of what it wrote. */
  private async closeFiles(): Promise<void> {
    if (this.withFiles.size === 0) return;
    const wait = { boundary: "engine", what: "the end of writing", timeoutMs: filesTimeoutMs } as const;
    const closed = new Promise<void>((resolve) => (this.filesClosed = resolve));
    // Whoever closes wants an end, in any case.
    await withDeadline(wait, () => closed).catch(() => undefined);
  }

  private send<Name extends EngineCallName>(site: CallSite<Name>, signal: AbortSignal): Promise<unknown> {
    const id = this.nextId;
    this.nextId += 1;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject, answer: site.answer });
      this.thread.ref();
      signal.addEventListener("abort", () => this.cancel(id), { once: true });
      this.outbox.push({ kind: "call", id, name: site.name, arguments: site.arguments });
      // Calls that are made in one turn of the event loop travel together and can be sampled together.
      if (this.outbox.length === 1) queueMicrotask(() => queueMicrotask(() => this.flush()));
    });
  }

  private flush(): void {
    const calls = this.outbox;
    this.outbox = [];
    if (this.closing.signal.aborted) return;
    for (const { id, name } of calls) if (fileCalls.has(name)) this.withFiles.add(id);
    this.post({ kind: "calls", calls });
  }

  private cancel(id: number): void {
    if (!this.pending.has(id)) return;
    this.settle(id)?.reject(abortedError({ boundary: "engine", what: "a call on the embedded engine" }));
    this.outbox = this.outbox.filter((call) => call.id !== id);
    this.post({ kind: "cancel", id });
  }

  private receive(message: EngineAnswer): void {
    if (message.kind !== "outputs") this.finishFiles(message.id);
    switch (message.kind) {
      case "result":
        this.settle(message.id)?.resolve(message.result);
        return;
      case "failure":
        this.settle(message.id)?.reject(fromPlainError(message.error));
        return;
      case "outputs":
        this.answer(message.id, message.outputs);
        return;
    }
  }

  /** A loss that throws ends the call with what it threw, and the engine's side without a gradient. */
  private answer(id: number, outputs: TokenArrays<Float32Array>): void {
    const pending = this.pending.get(id);
    if (pending?.answer === undefined) return;
    try {
      this.post({ kind: "gradients", id, gradients: pending.answer(outputs) });
    } catch (thrown) {
      this.settle(id)?.reject(thrown);
      this.post({ kind: "gradients", id, gradients: null });
    }
  }

  private settle(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (this.pending.size === 0) this.thread.unref();
    return pending;
  }

  private finishFiles(id: number): void {
    this.withFiles.delete(id);
    if (this.withFiles.size === 0) this.filesClosed();
  }

  private fail(failure: SparError): void {
    this.failure ??= failure;
    for (const id of this.withFiles) this.finishFiles(id);
    const ids = Array.from(this.pending.keys());
    for (const id of ids) this.settle(id)?.reject(this.failure);
  }

  private post(message: ToEngine): void {
    this.thread.postMessage(message);
  }
}

function threadError(cause: unknown): SparError {
  const message = `the thread of the embedded engine failed: ${messageOf(cause)}`;
  return isOutOfMemory(cause)
    ? memoryExhausted(message, cause)
    : engineError("engine-failed", message, { cause });
}
