import { expect, test } from "vitest";
import { tokens, type SampleRequest } from "../contract/index.ts";
import { tinyModel } from "./conformance/tiny-model.ts";
import { expectCode } from "./expect-code.ts";
import { createFakeEngine } from "./fake/engine.ts";
import { createScriptedEngine, scriptedVersion } from "./scripted-engine.ts";

const version = scriptedVersion("policy", 2);
const request = (
  promptIds: readonly number[],
  changes: Partial<SampleRequest["parameters"]> = {},
  count = 1,
): SampleRequest => ({
  prompt: [tokens(promptIds)],
  parameters: { maxTokens: 4, seed: 7, ...changes },
  count,
});

/** Repeats the prompt, shifted by the sibling; knows nothing about prompts that start with 9. */
const echo = createScriptedEngine({
  sample: ({ promptIds, siblingIndex }) =>
    promptIds[0] === 9 ? null : { tokenIds: promptIds.map((id) => id + siblingIndex) },
});

test("samples come from the script, per prompt and sibling", async () => {
  const { sequences } = await echo.sample(version, request([1, 2], {}, 2));
  expect(sequences.map((sequence) => sequence.tokenIds)).toEqual([
    [1, 2],
    [2, 3],
  ]);
  expect(sequences[0]?.logprobs).toEqual(Float32Array.of(Math.log(0.5), Math.log(0.5)));
  expect(sequences[0]?.finishReason).toBe("stop");
});

test("a reply may depend on seed and version and state its log-probabilities", async () => {
  const engine = createScriptedEngine({
    sample: ({ parameters, version: asked }) => ({
      tokenIds: [parameters.seed, asked.number],
      logprobs: [-0.25, -0.5],
    }),
  });
  const { sequences } = await engine.sample(version, request([1], { seed: 3 }));
  expect(sequences[0]).toEqual({
    tokenIds: [3, 2],
    logprobs: Float32Array.of(-0.25, -0.5),
    finishReason: "stop",
  });
});

test("replies are cut at maxTokens and end with stop at a stop token", async () => {
  const long = await echo.sample(version, request([1, 2, 3, 4, 5]));
  expect(long.sequences[0]).toMatchObject({ tokenIds: [1, 2, 3, 4], finishReason: "length" });
  const full = await echo.sample(version, request([1, 2, 3, 4]));
  expect(full.sequences[0]?.finishReason).toBe("length");
  const stopped = await echo.sample(version, request([1, 2, 3, 4], { stopTokenIds: [4] }));
  expect(stopped.sequences[0]?.finishReason).toBe("stop");
});

test("what is not scripted fails and says what was asked", async () => {
  const error = await expectCode(echo.sample(version, request([9, 1])), "engine-failed");
  expect(error.message).toContain("[9, 1] with seed 7");
  await expectCode(echo.createModel({ ...tinyModel(), name: "policy" }), "engine-failed");
  await expectCode(echo.computeLogprobs(version, [[tokens([1])]]), "engine-failed");
  await expectCode(
    createScriptedEngine({ sample: () => ({ tokenIds: [1, 2], logprobs: [-1] }) }).sample(
      version,
      request([1]),
    ),
    "engine-failed",
  );
});

test("calls are recorded in order", async () => {
  const engine = createScriptedEngine({ sample: () => ({ tokenIds: [1] }) });
  await engine.sample(version, request([1, 2]));
  await expectCode(engine.releaseVersion(version), "engine-failed");
  expect(engine.calls).toEqual([
    { call: "sample", version, request: request([1, 2]) },
    { call: "releaseVersion" },
  ]);
});

test("another engine can do the rest, so that scripted answers meet real training", async () => {
  const rest = createFakeEngine();
  const engine = createScriptedEngine({ sample: () => ({ tokenIds: [5] }), rest });
  const model = await engine.createModel({ ...tinyModel(), name: "policy" });
  const published = await model.publish();
  expect((await engine.sample(published, request([1]))).sequences[0]?.tokenIds).toEqual([5]);
  expect((await engine.computeLogprobs(published, [[tokens([1, 2])]]))[0]?.length).toBe(1);
  await engine.close();
  await expectCode(model.forward([]), "engine-closed");
});

test("signals, deadlines and closing end a question that nobody answers", async () => {
  const silent = createScriptedEngine({ sample: () => new Promise(() => undefined) });
  const cancelled = new AbortController();
  const waiting = silent.sample(version, request([1]), { signal: cancelled.signal });
  cancelled.abort();
  await expectCode(waiting, "aborted");
  await expectCode(silent.sample(version, request([1]), { timeoutMs: 1 }), "deadline-exceeded");
  const open = silent.sample(version, request([1]));
  await silent.close();
  await expectCode(open, "aborted");
  await expectCode(silent.sample(version, request([1])), "engine-closed");
});
