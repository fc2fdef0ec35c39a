/**
 * The engine of one execution of a run: started and closed within deadlines. What goes wrong while it is
 * closed never hides how the run ended. Knows no run.
 */
import { messageOf, toSparError, withDeadline } from "../base/index.ts";
import type { Engine } from "../contract/index.ts";
import { tell, type RunObserver } from "./observer.ts";

export interface EngineUse {
  readonly engineFactory: (signal: AbortSignal) => Promise<Engine>;
  readonly signal?: AbortSignal;
  readonly observer?: RunObserver;
  readonly startTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

/**
 * Starts an engine, uses it, closes it.
 *
 * @throws `deadline-exceeded`, `aborted` and what the factory threw, at the engine boundary; what `use` threw
 */
export async function withEngine<T>(options: EngineUse, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await startEngine(options);
  try {
    return await use(engine);
  } finally {
    await closeEngine(engine, options);
  }
}

async function startEngine({ engineFactory, signal, startTimeoutMs }: EngineUse): Promise<Engine> {
  const what = "the start of the engine";
  const wait = { boundary: "engine", what, timeoutMs: startTimeoutMs } as const;
  try {
    return await withDeadline(signal === undefined ? wait : { ...wait, signal }, async (inner) => {
      const started = await engineFactory(inner);
      // Nobody waits any more: an engine that came too late would run on for ever.
      if (inner.aborted) await started.close();
      return started;
    });
  } catch (thrown) {
    const message = `the engine did not start: ${messageOf(thrown)}`;
    throw toSparError(thrown, { code: "engine-failed", boundary: "engine", message });
  }
}

async function closeEngine(engine: Engine, { observer, closeTimeoutMs }: EngineUse): Promise<void> {
  const wait = { boundary: "engine", what: "the end of the engine", timeoutMs: closeTimeoutMs } as const;
  try {
    await withDeadline(wait, () => engine.close());
  } catch (thrown) {
    tell(observer, { kind: "notice", text: `the engine did not end as it should: ${messageOf(thrown)}` });
  }
}
