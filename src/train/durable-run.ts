/**
 * `Run` on a run folder: named steps that are committed whole or not at all, and that return what
 * they returned when the recipe is called again. Knows no method. See `run.ts` for the promises.
 */
import { join } from "node:path";
import { mkdirSync } from "node:fs";
import {
  canonicalJson,
  createRandom,
  parseJson,
  sha256,
  type JsonValue,
  type Random,
} from "../base/index.ts";
import type { CreateModelOptions, Engine } from "../contract/index.ts";
import { ActiveStep } from "./active-step.ts";
import { liveStep, replayStep, stepError, type StepIdentity } from "./durable-step.ts";
import { toPlainJson } from "./plain-json.ts";
import type { Policy, Run, RunState, Step, StepUses } from "./run.ts";
import { RunContext, type RunContextOptions } from "./run-context.ts";
import { RunPolicy } from "./run-policy.ts";
import type { Report } from "./report.ts";
import { isRunAddress, type StepEffects } from "./step-effects.ts";
import { trainError } from "./train-errors.ts";

export interface DurableRunOptions<Options> extends RunContextOptions {
  readonly recipeOptions: Options;
}

interface StepPlan extends StepIdentity {
  readonly models: ReadonlySet<string>;
  readonly states: ReadonlySet<string>;
  readonly savesAll?: boolean;
  readonly made?: StepEffects["made"];
}

const stepNamePattern = /^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,119}$/;
const policyNamePattern = /^[a-z][a-z0-9-]{0,59}$/;

/** What the code between the steps of a run with this seed draws from; plans draw from it too. */
export function randomOfRun(seed: number): Random {
  return createRandom(seed).split("run");
}

export class DurableRun<Options> implements Run<Options> {
  readonly id: string;
  readonly folder: string;
  readonly options: Options;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly report: Report;
  readonly #context: RunContext;
  readonly #root: Random;
  readonly #names = new Set<string>();
  #isLive = false;
  #failure: Error | null = null;

  constructor(options: DurableRunOptions<Options>) {
    const { store, reports, signal } = options;
    this.id = store.manifest.id;
    this.folder = store.paths.folder;
    this.options = options.recipeOptions;
    this.signal = signal;
    this.report = reports;
    this.#root = createRandom(store.manifest.seed);
    this.random = randomOfRun(store.manifest.seed);
    this.#context = new RunContext(options);
  }

  get engine(): Engine {
    return this.#context.engine;
  }

  async model(name: string, options: Omit<CreateModelOptions, "name">): Promise<Policy> {
    this.#claim(name, policyNamePattern, "a model: small letters, digits and -");
    const policy = new RunPolicy(name, options, (one) => this.#context.hostOf(one));
    const { from } = options;
    const sourceVersion =
      from.kind === "version" && isRunAddress(from.version.address) ? from.version.address : null;
    const uses = { from: from.kind, digest: sha256(canonicalJson(parseJson(JSON.stringify(options)))) };
    this.#context.policies.set(name, policy);
    const plan: StepPlan = {
      name: `model/${name}`,
      kind: "model",
      uses,
      models: new Set([name]),
      states: new Set(),
      made: { policy: name, sourceVersion },
    };
    await this.#durable(plan, async () => {
      await policy.create();
      return null;
    });
    return policy;
  }

  state<T>(name: string, initial: T): RunState<T> {
    this.#claim(`state/${name}`, stepNamePattern, "a state: letters, digits, spaces and . _ / -");
    const { states } = this.#context;
    const read = (): T => {
      const value = states.get(name);
      // A copy, so that what is done to it counts only once it is set. What was stored under a name
      // is what its only owner put there.
      return structuredClone(value === undefined ? initial : (value as T));
    };
    const write = (value: T): void => {
      const step = this.#context.activeStep();
      if (!step.states.has(name)) {
        throw trainError(
          "not-named-by-step",
          `step "${step.name}" changes the state ${name} without naming it`,
          {
            hint: `name it: run.step("${step.name}", { states: [${name}] }, ...)`,
          },
        );
      }
      states.set(name, toPlainJson(value, `the state ${name}`));
      step.changedStates.add(name);
    };
    return { name, get: read, set: write };
  }

  async step<T>(name: string, uses: StepUses, body: (step: Step) => Promise<T>): Promise<T> {
    this.#claim(`step/${name}`, stepNamePattern, "a step: letters, digits, spaces and . _ / -");
    const models = (uses.models ?? []).map((model) => model.name);
    const states = (uses.states ?? []).map((state) => state.name);
    const plan: StepPlan = {
      name,
      kind: "step",
      uses: { models, states },
      models: new Set(models),
      states: new Set(states),
    };
    const result = await this.#durable(plan, body);
    // The result of this body, now or in an earlier process of this run.
    return result as T;
  }

  artifactPath(name: string): string {
    const { artifacts } = this.#context.options.store.paths;
    mkdirSync(artifacts, { recursive: true });
    return join(artifacts, name);
  }

  /** The last durable step: every model is on the disk, the result is stored. */
  async finish(result: JsonValue): Promise<JsonValue> {
    const plan: StepPlan = {
      name: "end",
      kind: "end",
      uses: null,
      models: new Set(),
      states: new Set(),
      savesAll: true,
    };
    return this.#durable(plan, async () => result);
  }

  async #durable(plan: StepPlan, body: (step: ActiveStep) => Promise<unknown>): Promise<JsonValue> {
    const context = this.#context;
    const { store, signal, clock, observer } = context.options;
    if (this.#failure !== null) throw this.#failure;
    if (context.active !== null) {
      throw trainError(
        "step-nested",
        `expected step "${plan.name}" after step "${context.active.name}" had ended, not during it`,
        {
          hint: "await each step before the next one",
        },
      );
    }
    const identity: StepIdentity = { name: plan.name, kind: plan.kind, uses: plan.uses };
    const stored = this.#isLive ? null : store.steps.at(context.position);
    if (stored !== null) return replayStep(context, stored, identity);
    const { name, models, states } = plan;
    const random = this.#root.split("step", name);
    const step = new ActiveStep({ name, models, states, random, signal, clock, store, observer });
    try {
      return await liveStep(context, identity, {
        step,
        savesAll: plan.savesAll ?? false,
        made: plan.made ?? null,
        body: async () => {
          await this.#goLive(plan.made?.policy ?? null);
          return body(step);
        },
      });
    } catch (thrown) {
      // Models may have changed without a commit: nothing may follow but a resume.
      this.#failure = stepError(name, thrown);
      throw this.#failure;
    }
  }

  /** Brings the models of earlier processes back, once, before the first body that runs. */
  async #goLive(made: string | null): Promise<void> {
    if (this.#isLive) return;
    this.#isLive = true;
    for (const [name, policy] of this.#context.policies) {
      const standing = this.#context.standing.models.get(name);
      if (name === made || policy.isReleased || standing === undefined) continue;
      if (standing.savedFolder === null) await policy.create();
      else await policy.restore(standing.savedFolder);
    }
  }

  #claim(name: string, pattern: RegExp, what: string): void {
    const bare = name.replace(/^(step|state)\//, "");
    if (!pattern.test(bare)) throw trainError("invalid-name", `expected the name of ${what}, got "${bare}"`);
    if (this.#names.has(name)) {
      throw trainError("name-taken", `expected names to be unique in a run, "${bare}" came twice`, {
        hint: "put the number of the iteration into the name",
      });
    }
    this.#names.add(name);
  }
}
