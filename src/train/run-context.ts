/**
 * What the parts of a running run share: where it stands, the step that is running, its policies and
 * the current values of its states. No part of a recipe sees it.
 */
import type { CallOptions, Clock, JsonValue } from "../base/index.ts";
import type { Engine, PolicyVersion } from "../contract/index.ts";
import type { RunStore } from "../store/index.ts";
import type { ActiveStep } from "./active-step.ts";
import type { RunObserver } from "./observer.ts";
import { RunEngine, unknownVersion, type VersionSource } from "./run-engine.ts";
import type { PolicyHost, RunPolicy } from "./run-policy.ts";
import type { RunReports } from "./run-reports.ts";
import { Standing, versionAddress, type StoredVersion } from "./step-effects.ts";
import { trainError } from "./train-errors.ts";

export interface RunContextOptions {
  readonly store: RunStore;
  readonly engine: Engine;
  readonly reports: RunReports;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly observer: RunObserver | undefined;
  /** The longest that making, saving, restoring or publishing a model may take. */
  readonly engineTimeoutMs: number;
  /** How long the body of a step may take to end after the run was cancelled. */
  readonly stopTimeoutMs: number;
}

export class RunContext implements VersionSource {
  readonly options: RunContextOptions;
  readonly engine: RunEngine;
  readonly standing: Standing = new Standing();
  readonly policies: Map<string, RunPolicy> = new Map();
  /** States as they are now; those of committed steps are in `standing`. */
  readonly states: Map<string, JsonValue> = new Map();
  /** Steps committed so far, which is the position of the next one. */
  position = 0;
  active: ActiveStep | null = null;

  constructor(options: RunContextOptions) {
    this.options = options;
    this.engine = new RunEngine(options.engine, this);
  }

  /** The running step. @throws `outside-step` */
  activeStep(): ActiveStep {
    if (this.active !== null) return this.active;
    throw trainError(
      "outside-step",
      "expected models, versions and states to be used inside a step, none is running",
      {
        hint: "move this into the body of run.step: what is done between steps is not recorded",
      },
    );
  }

  checkUse(): void {
    this.activeStep();
  }

  callOptions(call: CallOptions | undefined): CallOptions {
    // A signal that is given comes from the step's, or its giver wants another: nothing is added to
    // it, since thousands of calls are under way at once.
    return { ...call, signal: call?.signal ?? this.options.signal };
  }

  isKept(version: PolicyVersion): boolean {
    const stored = this.#find(version.address);
    return stored !== null && stored.digest === version.digest;
  }

  canBeSampled(version: PolicyVersion): boolean {
    return this.policies.get(version.modelId)?.isValueModel !== true;
  }

  async weightsOf(version: PolicyVersion): Promise<string> {
    const stored = this.#find(version.address);
    if (stored === null || stored.digest !== version.digest) throw unknownVersion(version);
    const { checkpoints, steps } = this.options.store;
    const isCommitted = this.standing.versions.has(version.address);
    if (isCommitted) await checkpoints.verify(steps.checkpoint(stored.folder));
    return checkpoints.pathOf(stored.folder);
  }

  drop(version: PolicyVersion): void {
    this.activeStep().droppedVersions.push(version.address);
  }

  /** What a policy may ask of its run. */
  hostOf(policy: RunPolicy): PolicyHost {
    return {
      engine: this.engine,
      store: this.options.store,
      engineTimeoutMs: this.options.engineTimeoutMs,
      position: this.position,
      checkUse: () => this.checkUse(),
      checkChange: () => this.#checkChange(policy.name),
      callOptions: (call) => this.callOptions(call),
      weightsOf: (version) => this.weightsOf(version),
      nextVersionNumber: (name) => this.#nextVersionNumber(name),
      published: (version) => void this.activeStep().versions.push(version),
      saved: (checkpoint) => void this.activeStep().checkpoints.push(checkpoint),
      released: (name) => void this.activeStep().released.push(name),
    };
  }

  #checkChange(policy: string): void {
    const step = this.activeStep();
    if (step.models.has(policy)) return;
    throw trainError(
      "not-named-by-step",
      `step "${step.name}" changes the model ${policy} without naming it`,
      {
        hint: `name it: run.step("${step.name}", { models: [${policy}] }, ...), so that it is saved`,
      },
    );
  }

  #find(address: string): StoredVersion | null {
    if (this.active?.droppedVersions.includes(address) === true) return null;
    const inStep = this.active?.versions.find((version) => versionAddress(version) === address);
    return inStep ?? this.standing.versions.get(address) ?? null;
  }

  #nextVersionNumber(policy: string): number {
    const inStep = this.activeStep().versions.filter((version) => version.policy === policy).length;
    return this.standing.nextNumber(policy) + inStep;
  }
}
