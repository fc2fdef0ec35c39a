/**
 * The engine's own thread: takes calls from its port, hands them to the core, and sends results back. Everything
 * that computes lives here, so that the caller's event loop stays free.
 */
import { parentPort, workerData } from "node:worker_threads";
import { present } from "../../../base/index.ts";
import { EngineCore } from "./engine-core.ts";
import { toPlainError } from "./plain-error.ts";
import { startExecutor } from "./start-executor.ts";
import type {
  CallMessage,
  EngineAnswer,
  EngineThreadData,
  FromEngine,
  ToEngine,
  TokenArrays,
} from "./protocol.ts";

const port = present(parentPort, "the port of the engine thread");
const core = new EngineCore(await startExecutor(workerData as EngineThreadData));
const running = new Map<number, AbortController>();
const waiting = new Map<number, (gradients: TokenArrays<Float64Array> | null) => void>();

/** Calls that were made together are a chunk. */
let chunkCount = 0;
let outbox: EngineAnswer[] = [];

function send(answer: EngineAnswer): void {
  outbox.push(answer);
  if (outbox.length === 1) setImmediate(flush);
}

function flush(): void {
  const answers: FromEngine = outbox;
  outbox = [];
  port.postMessage(answers);
}

async function run(call: CallMessage, chunk: number): Promise<void> {
  const controller = new AbortController();
  running.set(call.id, controller);
  try {
    const result = await core.call(call.name, call.arguments, {
      signal: controller.signal,
      chunk,
      askForGradients: (outputs) =>
        new Promise((resolve) => {
          waiting.set(call.id, resolve);
          send({ kind: "outputs", id: call.id, outputs });
        }),
    });
    send({ kind: "result", id: call.id, result });
  } catch (thrown) {
    send({ kind: "failure", id: call.id, error: toPlainError(thrown) });
  } finally {
    running.delete(call.id);
    waiting.delete(call.id);
  }
}

port.on("message", (message: ToEngine) => {
  switch (message.kind) {
    case "calls":
      chunkCount += 1;
      for (const call of message.calls) void run(call, chunkCount);
      return;
    case "cancel":
      running.get(message.id)?.abort();
      waiting.get(message.id)?.(null);
      return;
    case "gradients":
      waiting.get(message.id)?.(message.gradients);
      return;
  }
});
