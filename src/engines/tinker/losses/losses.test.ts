/** What a loss becomes on a server gives the gradient of the contract's reference, for every habit of a server. */
import { afterAll, describe, test } from "vitest";
import {
  tokens,
  type BuiltInLoss,
  type CustomLoss,
  type Datum,
  type Engine,
  type Model,
  type ModelSource,
} from "../../../contract/index.ts";
import {
  createFakeEngine,
  expectClose,
  expectDifferent,
  tinyModel,
  tolerances,
  widened,
} from "../../../testing/index.ts";
import type { ProfileId } from "../client/profile.ts";
import { createEngine } from "../engine.ts";
import { WireServer, type WireServerOptions } from "../fixtures/wire-server.ts";

const servers: WireServer[] = [];
const engines: Engine[] = [];
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await Promise.all(servers.map((server) => server.stop()));
});

const tuning = { kind: "lora", rank: 4, alpha: 32, seed: 3 } as const;
/** Rows of different lengths; masked tokens, weights that are no masks, advantages of both signs. */
const data: readonly Datum[] = [0, 1, 2].map((row): Datum => {
  const ids = Array.from({ length: 5 + 2 * row }, (_unused, index) => (row * 5 + index * 3) % 16);
  const targets = Int32Array.from(ids.slice(1));
  const per = (at: (index: number) => number): Float32Array =>
    Float32Array.from(targets, (_t, index) => at(index));
  return {
    input: [tokens(ids.slice(0, -1))],
    targets,
    weights: per((index) => (index === 0 ? 0 : 0.25 * (row + 1))),
    advantages: per((index) => (index % 2 === 0 ? 1 : -0.5) * (row + 1)),
    behaviorLogprobs: per((index) => (index === 0 ? 0 : -2.6 - 0.2 * (index % 3))),
  };
});
const negative = data.map((datum) => ({
  ...datum,
  weights: datum.weights.map((weight, index) => (index === 2 ? -weight : weight)),
}));

const losses: readonly BuiltInLoss[] = [
  { kind: "crossEntropy" },
  { kind: "importanceSampling" },
  { kind: "ppo", clipLow: 0.9, clipHigh: 1.1 },
  { kind: "cispo", clipLow: 0.5, clipHigh: 1.2 },
  { kind: "dro", beta: 0.3 },
];

/** Sums of squares: gradients of both signs that add up to anything. */
const custom: CustomLoss = {
  name: "squares",
  evaluate: ({ logprobs }) => ({
    value: logprobs.flatMap((row) => [...row]).reduce((sum, logprob) => sum + (logprob + 2.5) ** 2, 0),
    gradients: { logprobs: logprobs.map((row) => row.map((logprob) => 2 * (logprob + 2.5))) },
    metrics: {},
  }),
};

const habits: readonly { readonly profile: ProfileId; readonly server: WireServerOptions }[] = [
  { profile: "spar", server: {} },
  { profile: "hosted", server: { isOurs: false, isStrict: true } },
  { profile: "skyrl", server: { isOurs: false, isStrict: true } },
  { profile: "skyrl-jax", server: { isOurs: false, isStrict: true, isRowMean: true } },
  { profile: "verl", server: { isOurs: false, isStrict: true, recognises: false } },
];

async function engineFor(profile: ProfileId, options: WireServerOptions): Promise<Engine> {
  const server = new WireServer(options);
  servers.push(server);
  const engine = await createEngine({ url: await server.start(), executor: profile });
  engines.push(engine);
  return engine;
}

interface Trained {
  readonly losses: readonly number[];
  readonly logprobs: readonly Float32Array[];
}

/** Three steps; where there are two batches, a step takes both. */
async function train(
  engine: Engine,
  from: ModelSource,
  pass: (model: Model) => Promise<{ readonly loss: number }>[],
): Promise<Trained> {
  const model = await engine.createModel({ name: "m", from, tuning });
  const values: number[] = [];
  for (let step = 0; step < 3; step++) {
    const passes = pass(model);
    const update = model.optimStep({ kind: "adamw", learningRate: 0.02, epsilon: 1e-3, weightDecay: 0 });
    for (const { loss } of await Promise.all(passes)) values.push(loss);
    await update;
  }
  const { logprobs } = await model.forward(data);
  await model.release();
  return { losses: values, logprobs };
}

function expectSame(actual: Trained, expected: Trained): void {
  const tolerance = widened(
    tolerances.float32,
    20,
    "three steps of float32 rows, weights and log-probabilities",
  );
  expectClose(actual.losses, expected.losses, tolerance, "losses");
  expectClose(actual.logprobs, expected.logprobs, tolerance, "log-probabilities");
}

describe.each(habits)("a server with the habits of $profile", ({ profile, server }) => {
  const base: ModelSource = { kind: "base", nameOrFolder: "tiny" };
  const direct = async (pass: (model: Model) => Promise<{ readonly loss: number }>[]): Promise<Trained> => {
    const engine = createFakeEngine();
    engines.push(engine);
    return train(engine, tinyModel().from, pass);
  };

  test.each([
    ...losses.map((loss) => ({ name: loss.kind, loss, rows: data })),
    { name: "ppo with negative weights", loss: losses[2] ?? { kind: "crossEntropy" }, rows: negative },
  ])("trains with $name as the reference does", async ({ loss, rows }) => {
    const pass = (model: Model): Promise<{ readonly loss: number }>[] => [model.forwardBackward(rows, loss)];
    const engine = await engineFor(profile, server);
    const trained = await train(engine, base, pass);
    expectSame(trained, await direct(pass));
    // Twice the weights is another loss: what was compared depends on them.
    const doubled = rows.map((datum) => ({ ...datum, weights: datum.weights.map((weight) => 2 * weight) }));
    const other = await direct((model) => [model.forwardBackward(doubled, loss)]);
    expectDifferent(trained.losses, other.losses, tolerances.float32, "losses");
  });

  test("trains with a custom loss, and with several passes per step", async () => {
    const one = (model: Model): Promise<{ readonly loss: number }>[] => [
      model.forwardBackwardCustom(data, custom),
    ];
    const engine = await engineFor(profile, server);
    expectSame(await train(engine, base, one), await direct(one));
    const both = (model: Model): Promise<{ readonly loss: number }>[] => [
      model.forwardBackwardCustom(data.slice(0, 2), custom),
      model.forwardBackward(data.slice(2), { kind: "crossEntropy" }),
    ];
    expectSame(await train(engine, base, both), await direct(both));
  });
});
