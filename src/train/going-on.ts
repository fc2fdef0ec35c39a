/**
 * A run whose engine was lost goes on with a new one from its last commit: exactly what a resume does, in the same
 * process. So it holds for every engine, and needs no way of its own to put models back. Knows no engine.
 */
import { isSparError, messageOf } from "../base/index.ts";
import { isRunFolder } from "../store/index.ts";
import { tell, type RunEvent, type RunObserver } from "./observer.ts";

/** The engine, or what it knew of a model, is gone; what was saved is not. */
const lossCodes: ReadonlySet<string> = new Set(["engine-lost", "answer-lost"]);

export interface Life<Outcome> {
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
  readonly observer: RunObserver | undefined;
  /** Starts or resumes the run. */
  readonly first: (observer: RunObserver) => Promise<Outcome>;
  /** Resumes it. */
  readonly next: (observer: RunObserver) => Promise<Outcome>;
}

/**
 * Lives a run to its end. A second loss before another step was finished is the run's failure: what ends the engine
 * each time would do so for ever.
 */
export async function goOnAfterLoss<Outcome>(life: Life<Outcome>): Promise<Outcome> {
  const { folder, signal, observer } = life;
  let isFirst = true;
  for (;;) {
    const watch = watchLife(observer, isFirst);
    try {
      const outcome = await (isFirst ? life.first(watch.observer) : life.next(watch.observer));
      watch.letEnd();
      return outcome;
    } catch (thrown) {
      const isLost = isSparError(thrown) && lossCodes.has(thrown.code);
      const mayGoOn = isFirst || watch.finishedCount > 0;
      if (!isLost || !mayGoOn || signal?.aborted === true || !isRunFolder(folder)) {
        watch.letEnd();
        throw thrown;
      }
      const text = `${messageOf(thrown)}\nthe run goes on from its last checkpoint with a new engine`;
      tell(observer, { kind: "notice", text });
      isFirst = false;
    }
  }
}

interface LifeWatch {
  readonly observer: RunObserver;
  /** Steps that were finished in this life. */
  readonly finishedCount: number;
  /** Tells how the run ended, once it is known that it did. */
  letEnd(): void;
}

/** The past is told once, and an end that is none not at all. */
function watchLife(observer: RunObserver | undefined, isFirst: boolean): LifeWatch {
  let finishedCount = 0;
  let end: RunEvent | null = null;
  const isOld = (event: RunEvent): boolean =>
    event.kind === "run-start" || ("isReplayed" in event && event.isReplayed);
  return {
    observer: (event) => {
      if (event.kind === "step-end" && !event.isReplayed) finishedCount++;
      if (event.kind === "run-end") end = event;
      else if (event.kind === "run-start" && !isFirst) tellRepeated(observer, event.repeatedSteps);
      else if (isFirst || !isOld(event)) observer?.(event);
    },
    get finishedCount() {
      return finishedCount;
    },
    letEnd: () => {
      if (end !== null) tell(observer, end);
    },
  };
}

function tellRepeated(observer: RunObserver | undefined, steps: readonly string[]): void {
  if (steps.length === 0) return;
  tell(observer, {
    kind: "notice",
    text: `repeated, since their models were not saved: ${steps.join(", ")}`,
  });
}
