/**
 * `describeEngine`: the one conformance suite that every engine's test calls, ours and anybody's.
 * It asks what the contract promises and nothing more. A test that needs a capability which the
 * engine lacks is skipped with that reason; any other skip must be named with a reason of its own.
 * Vitest is an optional peer: only this file and the expectations beside it need it.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../contract/index.ts";
import { batchTests } from "./conformance/batches.ts";
import {
  ConformanceContext,
  exhaustiveVocabularySize,
  type ConformanceTest,
  type ModelUnderTest,
} from "./conformance/context.ts";
import { customLossTests } from "./conformance/custom-losses.ts";
import { gradientTests } from "./conformance/gradients.ts";
import { lifecycleTests } from "./conformance/lifecycle.ts";
import { lossTests } from "./conformance/losses.ts";
import { modelTests } from "./conformance/models.ts";
import { optimizerTests } from "./conformance/optimizers.ts";
import { orderingTests } from "./conformance/ordering.ts";
import { refusalTests } from "./conformance/refusals.ts";
import { distributionTests } from "./conformance/sampling-distribution.ts";
import { samplingTests } from "./conformance/sampling.ts";
import { stateTests } from "./conformance/state.ts";
import { tinyModel } from "./conformance/tiny-model.ts";
import { versionTests } from "./conformance/versions.ts";

export interface DescribeEngineOptions {
  /** Heads the block of tests. */
  readonly name: string;
  /** Makes a fresh engine; called once for the suite and again where a test closes one. */
  readonly createEngine: () => Engine | Promise<Engine>;
  /** What the suite trains. Default: a tiny architecture with a tokenizer of 16 letters. */
  readonly model?: ModelUnderTest;
  /** Tests that this engine cannot pass, by title, with the reason. */
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
  /** Default 60 s per test. */
  readonly timeoutMs?: number;
}

const groups: readonly { readonly title: string; readonly tests: readonly ConformanceTest[] }[] = [
  { title: "losses", tests: lossTests },
  { title: "gradients", tests: gradientTests },
  { title: "batches", tests: batchTests },
  { title: "order of calls", tests: orderingTests },
  { title: "custom losses and other outputs", tests: customLossTests },
  { title: "optimizers", tests: optimizerTests },
  { title: "sampling", tests: samplingTests },
  { title: "what is drawn from", tests: distributionTests },
  { title: "versions", tests: versionTests },
  { title: "saved states", tests: stateTests },
  { title: "models", tests: modelTests },
  { title: "refusals", tests: refusalTests },
  { title: "ends of calls, models and engines", tests: lifecycleTests },
];

/** The titles of all conformance tests. */
export const conformanceTestTitles: readonly string[] = groups.flatMap((group) =>
  group.tests.map((entry) => entry.title),
);

/** Declares the suite for one engine. */
export function describeEngine(options: DescribeEngineOptions): void {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const createEngine = async (): Promise<Engine> => options.createEngine();
  describe(`${options.name} keeps the engine contract`, () => {
    let engine: Engine | null = null;
    beforeAll(async () => {
      engine = await createEngine();
    }, timeoutMs);
    afterAll(async () => {
      await engine?.close();
    }, timeoutMs);

    test("every skipped test exists and has a reason", () => {
      for (const skipped of options.skip ?? []) {
        expect(conformanceTestTitles).toContain(skipped.test);
        expect(skipped.reason.trim()).not.toBe("");
      }
    });

    for (const group of groups) {
      describe(group.title, () => {
        for (const entry of group.tests) {
          test(entry.title, { timeout: timeoutMs }, async (task) => {
            if (engine === null) throw new Error("the engine did not start");
            const reason = reasonToSkip(options, entry, engine);
            if (reason !== null) task.skip(reason);
            const context = new ConformanceContext({
              engine,
              createEngine,
              modelUnderTest: options.model ?? tinyModel(),
              skip: (why) => task.skip(why),
            });
            try {
              await entry.run(context);
            } finally {
              await context.cleanUp();
            }
          });
        }
      });
    }
  });
}

/**
 * Runs one test of the suite by title outside of `describeEngine`: for looking at one promise, and
 * for proving that the suite catches an engine that breaks it. Rejects when the test fails.
 */
export async function runConformanceTest(
  title: string,
  engine: Engine,
  model: ModelUnderTest = tinyModel(),
): Promise<void> {
  const entry = groups.flatMap((group) => group.tests).find((candidate) => candidate.title === title);
  if (entry === undefined) throw new Error(`expected the title of a conformance test, got "${title}"`);
  const context = new ConformanceContext({
    engine,
    createEngine: async () => engine,
    modelUnderTest: model,
    skip: (reason) => {
      throw new Error(`skipped: ${reason}`);
    },
  });
  try {
    await entry.run(context);
  } finally {
    await context.cleanUp();
  }
}

function reasonToSkip(options: DescribeEngineOptions, entry: ConformanceTest, engine: Engine): string | null {
  const named = (options.skip ?? []).find((skipped) => skipped.test === entry.title);
  if (named !== undefined) return named.reason;
  const missing = (entry.needs ?? []).find((capability) => !engine.capabilities.has(capability));
  if (missing !== undefined) return `the engine lacks ${missing}`;
  if (entry.isFine === true && engine.description.precision === "bfloat16")
    return "needs more than 16-bit arithmetic";
  const { from, base } = options.model ?? tinyModel();
  const vocabularySize =
    from.kind === "architecture" ? from.architecture.vocabularySize : base?.vocabularySize;
  const isSmall = (vocabularySize ?? Number.POSITIVE_INFINITY) <= exhaustiveVocabularySize;
  if (entry.isOverVocabulary === true && !isSmall)
    return `needs a vocabulary of at most ${exhaustiveVocabularySize} tokens`;
  return null;
}
