import { rm } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  tokens,
  type BuiltInLoss,
  type Chunk,
  type Datum,
  type Engine,
  type Model,
  type PolicyVersion,
} from "../contract/index.ts";
import { runConformanceTest } from "./describe-engine.ts";
import { createFakeEngine } from "./fake/engine.ts";
import { nextTurn } from "./timer.ts";

/** The same input with every image black. */
const blind = (chunks: readonly Chunk[]): Chunk[] =>
  chunks.map((chunk) =>
    chunk.kind === "image" ? { ...chunk, pixels: new Uint8Array(chunk.pixels.length) } : chunk,
  );

/** An engine whose models differ from the fake's in some calls. */
function withBrokenModels(change: (model: Model) => Partial<Model>): Engine {
  const engine = createFakeEngine();
  const createModel: Engine["createModel"] = async (options, call) => {
    const model = await engine.createModel(options, call);
    return override(model, change(model));
  };
  return override<Engine>(engine, { createModel });
}

/** An engine that differs from the fake in some calls. */
function withBrokenEngine(change: (engine: Engine) => Partial<Engine>): Engine {
  const engine = createFakeEngine();
  return override<Engine>(engine, change(engine));
}

function override<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get(inner, name) {
      const changed: unknown = Reflect.get(changes, name);
      if (changed !== undefined) return changed;
      const value: unknown = Reflect.get(inner, name);
      return typeof value === "function" ? value.bind(inner) : value;
    },
  });
}

const kept: Datum = { input: [tokens([1, 2])], targets: Int32Array.of(2, 3), weights: Float32Array.of(1, 1) };

const reweighted = (data: readonly Datum[], factor: number): Datum[] =>
  data.map((datum) => ({ ...datum, weights: datum.weights.map((weight) => weight * factor) }));

const meanLoss = (model: Model): Partial<Model> => ({
  forwardBackward: (data: readonly Datum[], loss: BuiltInLoss) =>
    model.forwardBackward(reweighted(data, 1 / data.length), loss),
});

const sabotages: readonly {
  readonly what: string;
  readonly caughtBy: string;
  readonly engine: () => Engine;
}[] = [
  {
    what: "a sampler that perturbs its log-probabilities by 0.01",
    caughtBy: "sampled log-probabilities are forward's",
    engine: () => createFakeEngine({ faults: [{ kind: "perturb-logprobs", nats: 0.01 }] }),
  },
  {
    what: "a sampler that forgets its second refresh",
    caughtBy: "the canary passes right after each publish",
    engine: () => createFakeEngine({ faults: [{ kind: "forget-refresh", nth: 2 }] }),
  },
  {
    what: "a loss that is a mean",
    caughtBy: "crossEntropy: the loss is the float64 reference of the returned log-probabilities",
    engine: () => withBrokenModels(meanLoss),
  },
  {
    what: "a loss that is a mean over each batch",
    caughtBy: "a batch in parts gives the loss and the update of the whole batch",
    engine: () => withBrokenModels(meanLoss),
  },
  {
    what: "a gradient of ppo that forgets the clip",
    caughtBy: "ppo: the update is that of the same loss as a custom loss",
    engine: () =>
      withBrokenModels((model) => ({
        forwardBackward: (data, loss) =>
          model.forwardBackward(data, loss.kind === "ppo" ? { ...loss, clipLow: 0, clipHigh: 100 } : loss),
      })),
  },
  {
    what: "gradients of half the size",
    caughtBy: "the loss changes along a step at the rate of the squared gradient norm",
    engine: () =>
      withBrokenModels((model) => ({
        optimStep: async (parameters, call) => {
          const step = await model.optimStep(
            { ...parameters, learningRate: parameters.learningRate / 2 },
            call,
          );
          return step;
        },
      })),
  },
  {
    what: "adam without undoing the start of its moments",
    caughtBy: "adam: moments carry over and their start is undone",
    engine: () => {
      let steps = 0;
      return withBrokenModels((model) => ({
        optimStep: (parameters, call) => {
          steps += 1;
          const factor = Math.sqrt(1 - 0.999 ** steps) / (1 - 0.9 ** steps);
          return model.optimStep({ ...parameters, learningRate: parameters.learningRate / factor }, call);
        },
      }));
    },
  },
  {
    what: "clipping that is not heard",
    caughtBy: "clipping scales the gradient down to the norm and reports the norm before",
    engine: () =>
      withBrokenModels((model) => ({
        optimStep: (parameters, call) => model.optimStep({ ...parameters, clipGradientNorm: 0 }, call),
      })),
  },
  {
    what: "temperature that is not heard",
    caughtBy: "draws follow the temperature",
    engine: () =>
      withBrokenEngine((engine) => ({
        sample: (version, request, call) =>
          engine.sample(version, { ...request, parameters: { ...request.parameters, temperature: 1 } }, call),
      })),
  },
  {
    what: "top-p that is not heard",
    caughtBy: "top-p draws from the smallest set of tokens that reaches the probability",
    engine: () =>
      withBrokenEngine((engine) => ({
        sample: (version, request, call) =>
          engine.sample(version, { ...request, parameters: { ...request.parameters, topP: 1 } }, call),
      })),
  },
  {
    what: "a stop token that is cut from the ids",
    caughtBy: "a stop token ends the reply, is kept, and has its log-probability",
    engine: () =>
      withBrokenEngine((engine) => ({
        sample: async (version, request, call) => {
          const response = await engine.sample(version, request, call);
          const cut = response.sequences.map((sequence) =>
            sequence.finishReason === "stop"
              ? {
                  ...sequence,
                  tokenIds: sequence.tokenIds.slice(0, -1),
                  logprobs: sequence.logprobs.slice(0, -1),
                }
              : sequence,
          );
          return { ...response, sequences: cut };
        },
      })),
  },
  {
    what: "siblings that are copies",
    caughtBy: "siblings are as many as asked for and draw differently",
    engine: () =>
      withBrokenEngine((engine) => ({
        sample: async (version, request, call) => {
          const response = await engine.sample(version, { ...request, count: 1 }, call);
          return { sequences: Array.from({ length: request.count ?? 1 }, () => response.sequences).flat() };
        },
      })),
  },
  {
    what: "a load that keeps accumulated gradients",
    caughtBy: "loading drops accumulated gradients",
    engine: () =>
      withBrokenModels((model) => ({
        load: async (folder, options, call) => {
          await model.load(folder, options, call);
          await model.forwardBackward([kept], { kind: "crossEntropy" });
        },
      })),
  },
  {
    what: "a state without the optimizer",
    caughtBy: "a model that was saved and loaded goes on as if nothing had happened",
    engine: () =>
      withBrokenModels((model) => ({
        load: (folder, _options, call) => model.load(folder, { includeOptimizer: false }, call),
      })),
  },
  {
    what: "adamw that decays through the gradient",
    caughtBy: "adamw: decay shrinks the weights directly, as plain descent does without gradients",
    engine: () =>
      withBrokenModels((model) => ({
        optimStep: (parameters, call) =>
          model.optimStep(parameters.kind === "adamw" ? { ...parameters, kind: "adam" } : parameters, call),
      })),
  },
  {
    what: "rmsprop with another alpha",
    caughtBy: "rmsprop: the first step is adam's at ten times the learning rate",
    engine: () =>
      withBrokenModels((model) => ({
        optimStep: (parameters, call) =>
          model.optimStep(parameters.kind === "rmsprop" ? { ...parameters, alpha: 0.9 } : parameters, call),
      })),
  },
  {
    what: "rows that feel their company",
    caughtBy: "a row's log-probabilities do not depend on longer company",
    engine: () =>
      withBrokenModels((model) => ({
        forward: async (data, call) => {
          const { logprobs } = await model.forward(data, call);
          return {
            logprobs: logprobs.map((row) => row.map((logprob) => logprob * (1 + 1e-3 * data.length))),
          };
        },
      })),
  },
  {
    what: "versions that follow their model",
    caughtBy: "a version does not change when its model is trained further or released",
    engine: () => {
      let latest: PolicyVersion | null = null;
      const remembering = withBrokenModels((model) => ({
        publish: async (options, call) => {
          latest = await model.publish(options, call);
          return latest;
        },
      }));
      return override<Engine>(remembering, {
        computeLogprobs: (version, inputs, call) =>
          remembering.computeLogprobs(latest ?? version, inputs, call),
      });
    },
  },
  {
    what: "seeds that are not heard",
    caughtBy: "equal seeds give equal tokens, other seeds others",
    engine: () =>
      withBrokenEngine((engine) => ({
        sample: (version, request, call) =>
          engine.sample(version, { ...request, parameters: { ...request.parameters, seed: 1 } }, call),
      })),
  },
  {
    what: "a custom loss that loses its place in the queue",
    caughtBy: "later calls wait for a custom loss",
    engine: () =>
      withBrokenModels((model) => ({
        forwardBackwardCustom: async (data, loss, call) => {
          await nextTurn();
          return model.forwardBackwardCustom(data, loss, call);
        },
      })),
  },
  {
    what: "a deadline that is not heard",
    caughtBy: "a call that does not come in time fails as deadline-exceeded, and the model goes on",
    engine: () => withBrokenModels((model) => ({ forward: (data) => model.forward(data) })),
  },
  {
    what: "a blind model",
    caughtBy: "swapping the image changes what is sampled from and what is trained on",
    engine: () =>
      withBrokenEngine((engine) => ({
        computeLogprobs: (version, inputs, call) => engine.computeLogprobs(version, inputs.map(blind), call),
      })),
  },
  {
    what: "a call that ignores its signal",
    caughtBy: "a signal ends a call that waits, and the calls around it go on",
    engine: () => withBrokenModels((model) => ({ forward: (data) => model.forward(data) })),
  },
  {
    what: "discarding that keeps gradients",
    caughtBy: "discardGradients drops what has accumulated",
    engine: () => withBrokenModels(() => ({ discardGradients: async () => undefined })),
  },
  {
    what: "gradients that replace those before them",
    caughtBy: "gradients add up until optimStep and are then gone",
    engine: () =>
      withBrokenModels((model) => ({
        forwardBackward: async (data, loss, call) => {
          await model.discardGradients(call);
          return model.forwardBackward(data, loss, call);
        },
      })),
  },
  {
    what: "tokens of weight 0 that are trained a little",
    caughtBy: "tokens of weight 0 change neither loss nor update",
    engine: () =>
      withBrokenModels((model) => ({
        forwardBackward: (data, loss, call) =>
          model.forwardBackward(
            data.map((datum) => ({ ...datum, weights: datum.weights.map((weight) => weight + 0.01) })),
            loss,
            call,
          ),
      })),
  },
  {
    what: "a custom loss that is evaluated twice",
    caughtBy: "a custom loss sees forward's log-probabilities and its value and metrics come back",
    engine: () =>
      withBrokenModels((model) => ({
        forwardBackwardCustom: (data, loss, call) =>
          model.forwardBackwardCustom(
            data,
            { ...loss, evaluate: (...given) => (loss.evaluate(...given), loss.evaluate(...given)) },
            call,
          ),
      })),
  },
  {
    what: "prompt log-probabilities that are shifted",
    caughtBy: "prompt log-probabilities are those of computeLogprobs",
    engine: () =>
      withBrokenEngine((engine) => ({
        sample: async (version, request, call) => {
          const response = await engine.sample(version, request, call);
          const { promptLogprobs } = response;
          return promptLogprobs === undefined
            ? response
            : { ...response, promptLogprobs: promptLogprobs.toReversed() };
        },
      })),
  },
  {
    what: "stop strings that are not heard",
    caughtBy: "stop strings end the reply where the decoded text holds them",
    engine: () =>
      withBrokenEngine((engine) => ({
        sample: (version, request, call) => {
          const { stopStrings: _stopStrings, ...parameters } = request.parameters;
          return engine.sample(version, { ...request, parameters }, call);
        },
      })),
  },
  {
    what: "top-k that is not heard",
    caughtBy: "top-k draws from the k most likely tokens in their proportions",
    engine: () =>
      withBrokenEngine((engine) => ({
        sample: (version, request, call) =>
          engine.sample(version, { ...request, parameters: { ...request.parameters, topK: 0 } }, call),
      })),
  },
  {
    what: "a released version that still answers",
    caughtBy: "a version that was released or never published is unknown",
    engine: () => withBrokenEngine(() => ({ releaseVersion: async () => undefined })),
  },
  {
    what: "versions that all have number 1",
    caughtBy: "versions of a model are numbered from 1 and have addresses of their own",
    engine: () =>
      withBrokenModels((model) => ({
        publish: async (options, call) => ({ ...(await model.publish(options, call)), number: 1 }),
      })),
  },
  {
    what: "a model whose seed is not heard",
    caughtBy: "another seed gives another model",
    engine: () =>
      withBrokenEngine((engine) => ({
        createModel: (options, call) =>
          engine.createModel(
            options.from.kind === "architecture"
              ? { ...options, from: { ...options.from, seed: 1 } }
              : options,
            call,
          ),
      })),
  },
  {
    what: "a count of steps that begins anew with a loaded state",
    caughtBy: "the count of steps is part of the state",
    engine: () =>
      withBrokenModels((model) => {
        let stepCount = 0;
        return {
          optimStep: async (parameters, call) => ({
            ...(await model.optimStep(parameters, call)),
            stepCount: ++stepCount,
          }),
        };
      }),
  },
  {
    what: "a save over what lies there",
    caughtBy: "save refuses a folder that exists and leaves it alone",
    engine: () =>
      withBrokenModels((model) => ({
        save: async (folder, call) => {
          await rm(folder, { recursive: true, force: true });
          return model.save(folder, call);
        },
      })),
  },
  {
    what: "optimizer settings that are mended in silence",
    caughtBy: "optimizer settings without meaning are refused",
    engine: () =>
      withBrokenModels((model) => ({
        optimStep: (parameters, call) =>
          model.optimStep({ ...parameters, learningRate: Math.max(0, parameters.learningRate || 0) }, call),
      })),
  },
  {
    what: "embeddings of the first token alone",
    caughtBy: "embeddings have one width and depend on the input",
    engine: () =>
      withBrokenEngine((engine) => ({
        embed: (version, inputs, call) =>
          engine.embed(
            version,
            inputs.map(() => [tokens([1])]),
            call,
          ),
      })),
  },
  {
    what: "entropies of half the size",
    caughtBy: "entropies are those of the model's own distribution, and training on them moves them",
    engine: () =>
      withBrokenModels((model) => ({
        forwardBackwardCustom: (data, loss, call) =>
          model.forwardBackwardCustom(
            data,
            {
              ...loss,
              evaluate: ({ entropies, ...outputs }, rows) =>
                loss.evaluate(
                  {
                    ...outputs,
                    ...(entropies === undefined
                      ? {}
                      : { entropies: entropies.map((row) => row.map((entropy) => entropy / 2)) }),
                  },
                  rows,
                ),
            },
            call,
          ),
      })),
  },
];

describe("the conformance suite catches", () => {
  for (const { what, caughtBy, engine } of sabotages) {
    test(`${what}, by the test "${caughtBy}"`, async () => {
      await runConformanceTest(caughtBy, createFakeEngine());
      await expect(runConformanceTest(caughtBy, engine())).rejects.toBeInstanceOf(Error);
    });
  }
});
