/** The conformance suite over real sockets: the engine, the wire, and servers of several habits around the fake engine. */
import { afterAll } from "vitest";
import { describeEngine, letterTokenizer, tinyLetters } from "../../testing/index.ts";
import { createEngine } from "./engine.ts";
import { WireServer, type WireServerOptions } from "./fixtures/wire-server.ts";

const servers: WireServer[] = [];
afterAll(async () => void (await Promise.all(servers.map((server) => server.stop()))));

async function urlOf(options: WireServerOptions = {}): Promise<string> {
  const server = new WireServer(options);
  servers.push(server);
  return server.start();
}

const exports = {
  test: "export writes configuration, weights and tokenizer in the hub's formats",
  reason: "servers of others write no exports, and their archives hold the adapter alone",
};

/** Servers of others build no models: theirs is a base with an adapter. */
const adapter = {
  from: { kind: "base", nameOrFolder: "tiny" },
  tuning: { kind: "lora", rank: 4, alpha: 32, seed: 3 },
  tokenizer: letterTokenizer(tinyLetters),
} as const;

describeEngine({
  name: "the engine tinker on a server of ours",
  createEngine: async () => createEngine({ url: await urlOf() }),
});

const alpha = {
  test: "an adapter starts as its base, trains few numbers, and is part of what is published",
  reason: "asks for alpha 4, and these servers have 32 alone, which is refused",
};

const decay = {
  test: "adamw: twelve steps on one batch lower its loss",
  reason: "asks for the usual decay of weights, which reaches all models of that server and is refused",
};

describeEngine({
  name: "the engine tinker on a server with SkyRL's habits and JAX backend",
  createEngine: async () =>
    createEngine({
      url: await urlOf({ isOurs: false, isStrict: true, isRowMean: true }),
      executor: "skyrl-jax",
      precision: "float32",
    }),
  model: adapter,
  skip: [exports, alpha, decay],
});

describeEngine({
  name: "the engine tinker on a server of which nothing is known",
  createEngine: async () =>
    createEngine({
      url: await urlOf({ isOurs: false, isStrict: true, recognises: false }),
      executor: "verl",
      precision: "float32",
    }),
  model: adapter,
  skip: [exports, alpha],
});
