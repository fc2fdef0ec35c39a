/** What a plan of SPIN says, and what it refuses before anything starts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, type JsonObject } from "spar/base";
import { expectCode } from "spar/testing";
import { randomOfRun, resolveOptions, type Plan } from "spar/train";
import { afterAll, expect, test } from "vitest";
import { readBaseModelSizes } from "./base-model.ts";
import { unusedOptions } from "./options.ts";
import { recipe } from "./recipe.ts";
import { memoryBytes } from "./sizes.ts";

const root = mkdtempSync(join(tmpdir(), "spar-spin-plan-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const planOf = async (overrides: JsonObject, seed = 1): Promise<Plan> =>
  recipe.plan(resolveOptions(recipe, "nano", overrides), randomOfRun(seed));
const valueOf = ({ lines }: Plan, name: string): string | number | undefined =>
  lines.find((line) => line.name === name)?.value;

test("plans of the paper count 778 and 1,556 updates per epoch", async () => {
  for (const [preset, schedule] of [
    ["paper", "of a schedule made for 2"],
    ["released", "of a schedule made for 6"],
  ] as const) {
    const { lines } = await recipe.plan(resolveOptions(recipe, preset), randomOfRun(1));
    const line = (name: string) => lines.find((one) => one.name === name);
    expect(line("iteration 0")?.value).toBe(778);
    expect(line("iteration 1 and later")?.value).toBe(1556);
    expect(line("epochs per iteration")).toMatchObject({ value: 2, unit: schedule });
    expect(line("self-play, all iterations")?.value).toBe(2 * (778 + 3 * 1556));
    expect(line("betas")?.value).toBe("0.1, 0.1, 0.1, 5");
  }
});

test("a plan costs the same for any number of iterations, and counts each", async () => {
  const iterations = { opponentWindow: 2, dropEqualAnswers: false, exampleCount: 64, pairsPerUpdate: 32 };
  const [few, many] = [
    await planOf({ ...iterations, iterationCount: 3, betas: [1, 2] }),
    await planOf({ ...iterations, iterationCount: 100_000_000, betas: [1, 2] }),
  ];
  expect(valueOf(few, "self-play, all iterations")).toBe(2 + 4 + 4);
  expect(valueOf(many, "self-play, all iterations")).toBe(2 + 4 * 99_999_999);
  const [warmUp, selfPlay] = [20 * 64 * 16, 2 * 16 * (64 + 128 + 128)];
  expect(valueOf(few, "tokens trained")).toBe(warmUp + 2 * selfPlay);
  expect(valueOf(many, "betas")).toBe("1, 2 from then on");
  expect(valueOf(await planOf({ iterationCount: 1, betas: [1, 2] }), "betas")).toBe("1 throughout");
});

test("every file and folder that is read is an input of the plan, and is looked into", async () => {
  const pairs = join(root, "pairs.jsonl");
  const messages = [
    { role: "user", content: "1+1=" },
    { role: "assistant", content: "2" },
  ];
  writeFileSync(pairs, JSON.stringify({ real: messages, generated: messages }));
  expect((await planOf({ firstPairs: pairs })).inputs).toEqual([pairs]);
  await expectCode(planOf({ firstPairs: join(root, "absent.jsonl") }), "data-not-found");
  writeFileSync(join(root, "no-pairs.jsonl"), '{"prompt":"a"}');
  await expectCode(planOf({ firstPairs: join(root, "no-pairs.jsonl") }), "data-bad-record");
  mkdirSync(join(root, "no-model"));
  await expectCode(planOf({ baseModel: join(root, "no-model") }), "tokenizer-not-found");
});

const smollm2 = {
  vocab_size: 49_152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  tie_word_embeddings: true,
};

test("the plan of smoke counts its updates and tokens, with the model there or not, and says how to get it", async () => {
  const resolved = resolveOptions(recipe, "smoke", { baseModel: join(root, "absent") });
  const plan = await recipe.plan(resolved, randomOfRun(1));
  expect(valueOf(plan, "training prompts")).toBe(64);
  expect(valueOf(plan, "each iteration")).toBe(8);
  expect(valueOf(plan, "self-play, all iterations")).toBe(16);
  expect(valueOf(plan, "tokens per update")).toBe(16 * 384);
  expect(valueOf(plan, "tokens trained")).toBe(2 * 128 * 384);
  expect(valueOf(plan, "tokens of answers")).toBe((2 * 64 + 32 * 3 + 2 * 4) * 128);
  expect(plan.inputs).toEqual([join(root, "absent")]);
  expect(plan.inputHints?.[join(root, "absent")]).toMatch(/says how to make/);
  // Beside the process weights alone, as nothing is known of its layers.
  expect(plan.memoryBytes).toBe(600e6 + 134_515_008 * 4);
});

test("the sizes of a base model are read from its folder: the same count as the engine's, adapters and one call of memory", async () => {
  const folder = join(root, "smollm2");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(smollm2));
  expect(await readBaseModelSizes(folder)).toMatchObject({ parameterCount: 134_515_008, keyWidth: 192 });
  const sizes = await readBaseModelSizes(folder);
  const options = resolveOptions(recipe, "smoke", { baseModel: folder, baseModelParameterCount: 0 });
  const adapters = 16 * (30 * 10_176 + 576 + 49_152);
  const call = 8 * 384 * (30 * (25 * 576 + 2.5 * 9 * 384) * 4 + 49_152 * 4);
  expect(memoryBytes(options, sizes)).toBe(600e6 + 134_515_008 * 4 + adapters * 4 * 4 + call);
  writeFileSync(join(folder, "config.json"), "{}");
  expect(await readBaseModelSizes(folder)).toBeNull();
});

test("a base model by its name needs no hub where its tokenizer is given", () => {
  const needs = (overrides: JsonObject): readonly string[] =>
    recipe.needs(resolveOptions(recipe, "smoke", overrides));
  expect(needs({ baseModel: "smollm2" })).toContain("hub-models");
  expect(needs({ baseModel: "smollm2", tokenizerFolder: "./smollm2" })).not.toContain("hub-models");
});

const refused: readonly [JsonObject, RegExp][] = [
  [{ maxPromptTokens: 16 }, /maxPromptTokens must leave room/],
  [{ template: "chat" }, /needs a baseModel/],
  [{ architecture: { width: 95 } }, /width must be headCount times a multiple of 4, got width 95/],
  [{ architecture: { width: 10, headCount: 1 } }, /multiple of 4, got width 10 and headCount 1/],
  [{ architecture: { width: 8, headCount: 4 } }, /multiple of 4, got width 8 and headCount 4/],
  [{ scheduleEpochs: 1, epochsPerIteration: 2 }, /scheduleEpochs must be 0 or at least/],
  [{ controls: ["equal-time", "equal-time"] }, /controls must name each control once/],
  [{ equalTimeRatio: 0.0001 }, /equalTimeRatio: .*>=0\.1/],
  [{ equalTimeRatio: 1e300 }, /equalTimeRatio: .*<=100/],
  [{ warmUpShare: 1, schedule: "linear" }, /warmUpShare: .*<1/],
  [{ beta2: 1 }, /beta2: .*<1/],
  [{ data: "" }, /data must name where prompts come from/],
  [{ data: "hf://" }, /data: hf:\/\/: expected hf:\/\/owner\/name/],
  [{ firstPairs: "hf://owner" }, /firstPairs: hf:\/\/owner: expected/],
];

test.each(refused)("%j is refused before anything starts", (overrides, message) => {
  expect(() => resolveOptions(recipe, "nano", overrides)).toThrow(message);
});

test.each<JsonObject>([
  { architecture: { width: 8, headCount: 2 } },
  { baseModel: "./model", architecture: { width: 95 } },
  { equalTimeRatio: 0.1 },
  { warmUpShare: 0.99 },
])("%j is not", (overrides) => {
  const refusal = (): string => {
    try {
      resolveOptions(recipe, "nano", overrides);
      return "";
    } catch (thrown) {
      return messageOf(thrown);
    }
  };
  expect(refusal()).toBe("");
});

test("data on the hub of which nothing is known give a plan without their numbers, not one of noughts", async () => {
  const plan = await planOf({ data: "hf://owner/name" });
  expect(valueOf(plan, "training prompts")).toMatch(/unknown/);
  expect(valueOf(plan, "tokens trained")).toBeUndefined();
  expect(plan.diskBytes).toBeNull();
  const bounded = await planOf({ data: "hf://owner/name", exampleCount: 64 });
  expect(valueOf(bounded, "warm-up")).toBe(20);
});

test("first pairs from a file are counted as they are, and take the place of answers", async () => {
  const pair = (index: number): string =>
    JSON.stringify({
      real: [
        { role: "user", content: `1+${index}=` },
        { role: "assistant", content: "2" },
      ],
      generated: [
        { role: "user", content: `1+${index}=` },
        { role: "assistant", content: "3" },
      ],
    });
  const firstPairs = join(root, "many-pairs.jsonl");
  writeFileSync(firstPairs, Array.from({ length: 100 }, (_, index) => pair(index)).join("\n"));
  const settings = { exampleCount: 64, iterationCount: 4, pairsPerUpdate: 32, controls: [], sampleCount: 0 };
  const given = await planOf({ ...settings, firstPairs });
  expect(valueOf(given, "iteration 0")).toBe(4);
  expect(valueOf(given, "iteration 1 and later")).toBe(2);
  expect(valueOf(given, "self-play, all iterations")).toBe(4 + 3 * 2);
  const evaluated = 400 * 5;
  expect(valueOf(given, "tokens of answers")).toBe((64 * 3 + evaluated) * 6);
  expect(valueOf(await planOf(settings), "tokens of answers")).toBe((64 * 4 + evaluated) * 6);
});

test.each<[JsonObject, readonly string[]]>([
  [
    {},
    [
      "baseModelParameterCount",
      "baseModelBytesPerParameter",
      "tokenizerFolder",
      "scheduleEpochs",
      "equalTimeRatio",
    ],
  ],
  [
    { baseModel: "./model", schedule: "linear", warmUp: { epochs: 0 }, optimizer: "rmsprop" },
    [
      "architecture",
      "warmUp.rowsPerUpdate",
      "warmUp.learningRate",
      "warmUp.weightDecay",
      "warmUp.finalLearningRateShare",
      "beta2",
      "equalTimeRatio",
    ],
  ],
  [
    { data: "mine.jsonl", controls: ["equal-time"] },
    [
      "annotations",
      "baseModelParameterCount",
      "baseModelBytesPerParameter",
      "tokenizerFolder",
      "scheduleEpochs",
    ],
  ],
])("beside %j other options have no effect", (overrides, expected) => {
  expect(unusedOptions(resolveOptions(recipe, "nano", overrides))).toEqual(expected);
});
