/**
 * Fine-tunes an adapter on a server of the Tinker wire until it says a sequence by heart, and samples from it; with the
 * client alone. Needs a server: SPAR_TINKER_URL, SPAR_TINKER_KEY where it wants a key, and SPAR_TINKER_PROFILE where it
 * does not say what it is.
 *
 * Run: node fine-tune-on-a-server.ts
 */
import { connect, createTrainingModel, profiles, Samplers, type WireRow } from "spar/tinker";

const url = process.env["SPAR_TINKER_URL"];
if (url === undefined) {
  console.log("set SPAR_TINKER_URL to the address of a server, such as http://127.0.0.1:8000");
  process.exit(0);
}
const profile = profiles.find(({ id }) => id === process.env["SPAR_TINKER_PROFILE"])?.id;
const key = process.env["SPAR_TINKER_KEY"] ?? null;
const connection = await connect({ url, key, ...(profile === undefined ? {} : { profile }) });
const baseModel = connection.server.models[0]?.name ?? "";
const model = await createTrainingModel(connection, { baseModel, lora: { rank: 8, seed: 1 } });

const ids = [3, 1, 4, 1, 5, 9, 2, 6];
const targets = Int32Array.from(ids.slice(1));
const row: WireRow = {
  input: [{ kind: "tokens", tokenIds: ids.slice(0, -1) }],
  tensors: { target_tokens: targets, weights: new Float32Array(targets.length).fill(1) },
};
const settings = { learning_rate: 0.02, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0 };
for (let step = 1; step <= 30; step++) {
  // Sent together: the server takes the step after the pass.
  const pass = model.pass({ rows: [row], lossName: "cross_entropy" });
  const update = model.optimStep({ key: "adam_params", value: settings });
  const [output] = await Promise.all([pass, update]);
  let loss = 0;
  for (const logprob of output.rows[0]?.["logprobs"] ?? []) loss -= logprob;
  if (step % 10 === 0) console.log(`step ${step}: loss ${loss.toFixed(2)} nats`);
}

const path = await model.saveForSampler();
const request = { count: 1, maxTokens: 6, seed: 0, temperature: 0, topP: 1, topK: 0, stop: null };
const prompt = [{ kind: "tokens" as const, tokenIds: ids.slice(0, 2) }];
const answer = await new Samplers(connection).sample(
  { kind: "weights", path },
  { ...request, prompt, includePromptLogprobs: false },
);
console.log(`after ${ids.slice(0, 2).join(" ")}: ${answer.sequences[0]?.tokenIds.join(" ") ?? ""}`);
await connection.close();
