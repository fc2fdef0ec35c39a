/** What a new model of the fake engine starts from: a seed, a version, or a state on disk. */
import {
  capabilityMissing,
  engineError,
  initialOptimizerState,
  type CreateModelOptions,
  type PolicyVersion,
} from "../../contract/index.ts";
import { loadState, withoutOptimizer, type FakeState } from "./checkpoint.ts";
import { initialWeights, layoutOf } from "./layout.ts";
import type { Network } from "./network.ts";
import { trainableOf } from "./trainable.ts";

/** What the engine keeps of a published version. */
export interface Published {
  readonly network: Network;
  readonly state: FakeState;
  readonly isTrainable: boolean;
}

/** @throws `invalid-input`, `state-unreadable`, `version-unknown` */
export async function initialState(
  options: CreateModelOptions,
  find: (version: PolicyVersion) => Published,
): Promise<FakeState> {
  const { from } = options;
  switch (from.kind) {
    case "architecture":
      return fromArchitecture(options, from);
    case "version": {
      const { network, state, isTrainable } = find(from.version);
      if (!isTrainable) {
        throw engineError(
          "invalid-input",
          `expected a version that was published as trainable, got ${from.version.address}`,
          {
            hint: "publish with { trainable: true }",
          },
        );
      }
      return freshState(options, { ...state, base: network.weights.slice() });
    }
    case "saved": {
      const saved = await loadState(from.folder);
      const isSameTuning = options.tuning === undefined || options.tuning.kind === saved.tuning.kind;
      if (isSameTuning) return from.includeOptimizer === false ? withoutOptimizer(saved) : saved;
      const merged = trainableOf(layoutOf(saved.sizes), saved.base, saved.tuning).merge(saved.trained);
      return freshState(options, { ...saved, base: merged });
    }
    case "base":
      throw capabilityMissing("fake", "hub-models");
  }
}

function fromArchitecture(
  options: CreateModelOptions,
  from: Extract<CreateModelOptions["from"], { kind: "architecture" }>,
): FakeState {
  const { vocabularySize, contextLength, width } = from.architecture;
  for (const [name, size] of Object.entries({ vocabularySize, contextLength, width })) {
    if (!Number.isSafeInteger(size) || size <= 0) {
      throw engineError("invalid-input", `architecture ${name}: expected a positive integer, got ${size}`);
    }
  }
  if (!Number.isSafeInteger(from.seed))
    throw engineError("invalid-input", `seed: expected an integer, got ${from.seed}`);
  const sizes = { vocabularySize, width };
  return freshState(options, { sizes, contextLength, base: initialWeights(layoutOf(sizes), from.seed) });
}

function freshState(
  options: CreateModelOptions,
  start: Pick<FakeState, "sizes" | "contextLength" | "base"> & {
    readonly tokenizer?: FakeState["tokenizer"];
  },
): FakeState {
  const tuning = options.tuning ?? { kind: "full" };
  const trained = trainableOf(layoutOf(start.sizes), start.base, tuning).initial;
  return {
    sizes: start.sizes,
    contextLength: start.contextLength,
    head: options.head ?? "policy",
    tuning,
    tokenizer: options.tokenizer ?? start.tokenizer ?? null,
    base: start.base,
    trained,
    optimizer: initialOptimizerState(trained.length),
    stepCount: 0,
  };
}
