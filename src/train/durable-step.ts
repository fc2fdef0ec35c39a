/**
 * One durable step, live or replayed: the body runs once in the life of a run, its result and
 * everything that it changed are committed in one transaction after its checkpoints are on the disk.
 */
import {
  abortedError,
  canonicalJson,
  isSparError,
  messageOf,
  throwIfAborted,
  toSparError,
  withDeadline,
  type JsonValue,
} from "../base/index.ts";
import type { StepKind, StoredStep } from "../store/index.ts";
import type { ActiveStep } from "./active-step.ts";
import { tell } from "./observer.ts";
import { toPlainJson } from "./plain-json.ts";
import type { RunContext } from "./run-context.ts";
import { parseEffects, type StepEffects } from "./step-effects.ts";
import { trainError } from "./train-errors.ts";

/** What a step is called and says that it will change; the same in every process of a run. */
export interface StepIdentity {
  readonly name: string;
  readonly kind: StepKind;
  readonly uses: JsonValue;
}

/** Returns what a committed step returned, and brings the run to where it stood after it. */
export function replayStep(context: RunContext, stored: StoredStep, identity: StepIdentity): JsonValue {
  checkSame(stored, identity);
  const { store, observer, reports } = context.options;
  const { name, position, durationMs } = stored;
  tell(observer, { kind: "step-start", name, position, isReplayed: true });
  const effects = parseEffects(stored.effects);
  context.standing.apply(stored.result, effects);
  for (const [state, value] of Object.entries(effects.states)) context.states.set(state, value);
  for (const policy of effects.released) context.policies.get(policy)?.markReleased();
  reports.replayed(store.steps.reportsOf(stored.id));
  for (const metric of store.steps.metricsOf(stored))
    tell(observer, { kind: "metric", metric, isReplayed: true });
  context.position++;
  tell(observer, { kind: "step-end", name, position, durationMs, isReplayed: true });
  return stored.result;
}

/** Runs a step that was never committed, and commits it. */
export async function liveStep(
  context: RunContext,
  identity: StepIdentity,
  options: {
    readonly step: ActiveStep;
    /** Whether every model must be on the disk afterwards, as at the end of a run. */
    readonly savesAll: boolean;
    readonly made: StepEffects["made"];
    readonly body: (step: ActiveStep) => Promise<unknown>;
  },
): Promise<JsonValue> {
  const { clock, observer, reports, signal } = context.options;
  const { step } = options;
  const { position } = context;
  throwIfAborted(signal, { boundary: "recipe", what: `step "${step.name}"` });
  tell(observer, { kind: "step-start", name: step.name, position, isReplayed: false });
  const startedMs = clock.nowMs();
  const startTick = clock.monotonicMs();
  context.active = step;
  reports.enter(step.name);
  try {
    const before = changeCounts(context);
    const returned = await untilStopped(context, step.name, options.body(step));
    // A body that returns nothing has the result null.
    const result = toPlainJson(returned ?? null, `the result of step "${step.name}"`);
    const changed = changedPolicies(context, before);
    await saveModels(context, changed, options.savesAll);
    const effects = effectsOf(context, { step, changed, made: options.made });
    step.setLeftOversAside();
    const durationMs = clock.monotonicMs() - startTick;
    context.options.store.commit(
      { position, ...identity, result, effects: toPlainJson(effects, "effects"), startedMs, durationMs },
      {
        checkpoints: step.checkpoints,
        reports: reports.collected(),
        metrics: step.metrics,
        annotations: step.annotations,
      },
    );
    context.position++;
    context.standing.apply(result, effects);
    await removeUnneeded(context);
    reports.committed();
    for (const metric of step.metrics) tell(observer, { kind: "metric", metric, isReplayed: false });
    tell(observer, { kind: "step-end", name: step.name, position, durationMs, isReplayed: false });
    return result;
  } finally {
    context.active = null;
    reports.leave();
  }
}

function checkSame(stored: StoredStep, identity: StepIdentity): void {
  const place = `step ${stored.position + 1} of the run`;
  const hint = "resume it with the version of the recipe that began it, or start a new run";
  if (stored.name !== identity.name || stored.kind !== identity.kind) {
    throw trainError(
      "run-changed",
      `${place} was ${stored.kind} "${stored.name}", the recipe now has ${identity.kind} "${identity.name}" there`,
      { hint },
    );
  }
  const [was, is] = [canonicalJson(stored.uses), canonicalJson(identity.uses)];
  if (was !== is)
    throw trainError("run-changed", `${place}, "${stored.name}", used ${was}, the recipe now has ${is}`, {
      hint,
    });
}

/** The body's result; when the run is cancelled the body has some time to end by itself. */
async function untilStopped<T>(context: RunContext, stepName: string, body: Promise<T>): Promise<T> {
  const { signal, stopTimeoutMs } = context.options;
  const what = `step "${stepName}"`;
  const stopped = Promise.withResolvers<void>();
  const onAbort = (): void => stopped.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const afterStop = async (): Promise<T> => {
    await stopped.promise;
    const wait = { boundary: "recipe", what: `the end of ${what}`, timeoutMs: stopTimeoutMs } as const;
    return withDeadline(wait, () => body).catch((thrown: unknown) => {
      const isLate = isSparError(thrown) && thrown.code === "deadline-exceeded";
      throw isLate ? abortedError({ boundary: "recipe", what }) : thrown;
    });
  };
  try {
    return await Promise.race([body, afterStop()]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function changeCounts(context: RunContext): Map<string, number> {
  return new Map([...context.policies].map(([name, policy]) => [name, policy.changeCount]));
}

function changedPolicies(context: RunContext, before: ReadonlyMap<string, number>): string[] {
  const changed: string[] = [];
  for (const [name, policy] of context.policies) {
    if (policy.isReleased) continue;
    if (policy.hasGradients) {
      throw trainError(
        "gradients-pending",
        `expected no gradients of ${name} to wait at the end of a step: no checkpoint holds them`,
        {
          hint: "call optimStep or discardGradients before the step ends",
        },
      );
    }
    if (policy.changeCount !== (before.get(name) ?? 0)) changed.push(name);
  }
  return changed;
}

async function saveModels(context: RunContext, changed: readonly string[], savesAll: boolean): Promise<void> {
  const { manifest } = context.options.store;
  const changesSinceSave = context.standing.changesSinceSave + (changed.length > 0 ? 1 : 0);
  if (!savesAll && changesSinceSave < manifest.checkpointEverySteps) return;
  for (const policy of context.policies.values()) {
    if (!policy.isReleased && policy.isDirty) await policy.save();
  }
}

function effectsOf(
  context: RunContext,
  done: {
    readonly step: ActiveStep;
    readonly changed: readonly string[];
    readonly made: StepEffects["made"];
  },
): StepEffects {
  const { step } = done;
  const saved: Record<string, string> = {};
  for (const [name, policy] of context.policies) {
    const folder = policy.currentFolder;
    if (!policy.isReleased && folder !== null && folder !== context.standing.models.get(name)?.savedFolder)
      saved[name] = folder;
  }
  const states = [...step.changedStates].map((name): [string, JsonValue] => [
    name,
    context.states.get(name) ?? null,
  ]);
  return {
    states: Object.fromEntries(states),
    made: done.made,
    changed: [...done.changed],
    saved,
    released: [...step.released],
    versions: [...step.versions],
    droppedVersions: [...step.droppedVersions],
  };
}

/** Removes checkpoints and the engine's copies of versions that nothing can need any more. */
async function removeUnneeded(context: RunContext): Promise<void> {
  const { standing } = context;
  if (standing.isResumable) context.options.store.checkpoints.removeOthers(standing.neededFolders());
  await context.engine.retain((address) => standing.versions.has(address), context.callOptions(undefined));
}

/** Whatever the body of a step threw, attributed. */
export function stepError(name: string, thrown: unknown): Error {
  const message = `step "${name}" failed: ${messageOf(thrown)}`;
  return toSparError(thrown, {
    code: "step-failed",
    boundary: "recipe",
    message,
    hint: "the run folder keeps what was committed before; fix the cause, then resume",
  });
}
