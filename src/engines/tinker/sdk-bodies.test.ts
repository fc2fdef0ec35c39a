/** What our client sends is what the official SDK sends for the same calls, recorded with `fixtures/record-sdk.py`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { z } from "zod";
import { connect } from "./client/connection.ts";
import { Samplers } from "./client/samplers.ts";
import { createTrainingModel } from "./client/training-model.ts";
import { WireServer } from "./fixtures/wire-server.ts";
import type { WireRow } from "./wire/data.ts";
import { ForwardBackwardRequestSchema } from "./wire/generated/tinker_public_pb.ts";

type Json = Record<string, unknown>;

interface Sent {
  readonly path: string;
  readonly body: Json;
}

const recording = z.object({
  sdk: z.string(),
  requests: z.array(
    z.object({ path: z.string(), body: z.union([z.string(), z.record(z.string(), z.unknown())]) }),
  ),
});

/** What the SDK sends and we leave out: defaults of the wire, and what newer versions added. */
const leftOut: Readonly<Record<string, unknown>> = {
  "create_model.lora_config.train_unembed": true,
  "create_model.lora_config.train_mlp": true,
  "create_model.lora_config.train_attn": true,
  "create_model.optimizer_config.type": "adamw",
  "save_weights.overwrite": false,
  "save_weights_for_sampler.kind": "snapshot",
  "asample.topk_sample_logprobs": 0,
  "asample.prompt_alt_tokens_k": 0,
  "asample.record_stability_info": false,
};
/** What is each client's own. */
const own = new Set(["create_session.tags", "create_session.sdk_version"]);

function recorded(file: string): Sent[] {
  const text = readFileSync(join(import.meta.dirname, "fixtures", file), "utf8");
  return recording.parse(JSON.parse(text)).requests.map(({ path, body }) => ({
    path,
    body: typeof body === "string" ? decodePass(Buffer.from(body, "base64")) : body,
  }));
}

function decodePass(bytes: Uint8Array): Json {
  return toJson(ForwardBackwardRequestSchema, fromBinary(ForwardBackwardRequestSchema, bytes)) as Json;
}

function row(tensors: WireRow["tensors"]): WireRow {
  return { input: [{ kind: "tokens", tokenIds: [1, 2, 3] }], tensors };
}

/** The same calls as `record-sdk.py`. */
async function ours(): Promise<Sent[]> {
  const server = new WireServer({ isOurs: false });
  const connection = await connect({ url: await server.start(), key: "tml-dummy", profile: "hosted" });
  try {
    const model = await createTrainingModel(connection, { baseModel: "tiny", lora: { rank: 8, seed: 1 } });
    const target_tokens = Int32Array.of(2, 3, 4);
    await model.pass({
      rows: [row({ target_tokens, weights: Float32Array.of(0, 0.5, 1) })],
      lossName: "cross_entropy",
    });
    const advantages = Float32Array.of(0.5, -1, 2);
    await model.pass({
      rows: [row({ target_tokens, advantages, logprobs: Float32Array.of(-1, -2, -0.5) })],
      lossName: "ppo",
      settings: { clip_low_threshold: 0.75, clip_high_threshold: 1.25 },
    });
    await model.pass({
      rows: [row({ target_tokens, weights: Float32Array.of(1, 1, 1) })],
      lossName: "cross_entropy",
      isForwardOnly: true,
    });
    const rates = { learning_rate: 0.5, beta1: 0.9, beta2: 0.999, eps: 1e-8 };
    await model.optimStep({ key: "adam_params", value: { ...rates, weight_decay: 0.25, grad_clip_norm: 2 } });
    await model.saveState({ name: "a" });
    const path = await model.saveForSampler({ name: "b" });
    await new Samplers(connection).sample(
      { kind: "weights", path },
      {
        prompt: [{ kind: "tokens", tokenIds: [1, 2] }],
        count: 2,
        maxTokens: 4,
        seed: 3,
        temperature: 0.5,
        topK: 5,
        topP: 0.75,
        stop: [6],
        includePromptLogprobs: true,
      },
    );
    const ids = { [model.modelId]: "session-1:train:0" };
    return server.bodies.map((sent) => ({ path: sent.path, body: readBody(sent.path, sent.body, ids) }));
  } finally {
    await connection.close();
    await server.stop();
  }
}

/** Names that each server gives are made equal. */
function readBody(path: string, body: Buffer, ids: Readonly<Record<string, string>>): Json {
  if (body.length === 0) return {};
  let text = path === "forward_backward" ? JSON.stringify(decodePass(body)) : body.toString("utf8");
  for (const [id, name] of Object.entries(ids)) text = text.replaceAll(id, name);
  return JSON.parse(text.replaceAll(/sampling-\d+/g, "sampling-1")) as Json;
}

/** Every leaf with its path. */
function leaves(value: unknown, path: string): [string, unknown][] {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`));
}

test.each(["sdk-0.38.0.json", "sdk-0.24.1.json"])("%s: the same calls give the same bodies", async (file) => {
  const theirs = recorded(file);
  const paths = new Set(theirs.map(({ path }) => path));
  const mine = (await ours()).filter(({ path }) => paths.has(path));
  expect(mine.map(({ path }) => path)).toEqual(theirs.map(({ path }) => path));
  theirs.forEach(({ path, body }, index) => {
    const isBinary = path === "forward_backward";
    // The older SDK does not know the second map of settings, and servers of its time pass over it.
    const drop = isBinary && file.includes("0.24") ? "lossFnConfigV2" : "";
    const left = new Map(
      leaves(mine[index]?.body, path).filter(([name]) => !name.includes(`.${drop}.`) || drop === ""),
    );
    for (const [name, value] of leaves(body, path)) {
      if (own.has(name)) left.delete(name);
      else if (name in leftOut) expect([name, value]).toEqual([name, leftOut[name]]);
      else {
        expect([name, left.get(name)]).toEqual([name, value]);
        left.delete(name);
      }
    }
    expect([...left.keys()], `${path}: nothing that the SDK does not send`).toEqual([]);
  });
});
