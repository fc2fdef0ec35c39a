/**
 * For tests of everything that stands on spar: the conformance suites of engines and players, fakes that are real
 * implementations, tolerances and expectations. Needs Vitest as a peer. Never imports an engine.
 */
export type { ConformanceContext, ConformanceTest, ModelUnderTest } from "./conformance/context.ts";
export { letterTokenizer, tinyLetters, tinyModel } from "./conformance/tiny-model.ts";
export {
  conformanceTestTitles,
  describeEngine,
  runConformanceTest,
  type DescribeEngineOptions,
} from "./describe-engine.ts";
export {
  describePlayer,
  playerTestTitles,
  runPlayerTest,
  type DescribePlayerOptions,
} from "./describe-player.ts";
export { playerRequest } from "./players/player-tests.ts";
export { describeGame, gameTestTitles, runGameTest } from "./describe-game.ts";
export type { Dealt, DescribeGameOptions, Secret } from "./games/game-under-test.ts";
export { expectCode } from "./expect-code.ts";
export {
  expectClose,
  expectDifferent,
  expectGolden,
  finiteDifference,
  firstDifference,
  type GoldenCase,
  type Numbers,
} from "./expect-golden.ts";
export { createFakeEngine, type FakeEngine, type FakeEngineOptions } from "./fake/engine.ts";
export {
  advantageVectors,
  klVectors,
  lossVectors,
  optimizerVectors,
  pairVectors,
  type GoldenFile,
  type GoldenVector,
} from "./golden/index.ts";
export type { BatchOptions } from "./fake/batcher.ts";
export type { FakeCall } from "./fake/calls.ts";
export type { FakeCallKind, FakeFault } from "./fake/faults.ts";
export {
  createScriptedEngine,
  scriptedVersion,
  type Script,
  type ScriptedCall,
  type ScriptedEngine,
  type ScriptedEngineOptions,
  type ScriptedQuestion,
  type ScriptedReply,
} from "./scripted-engine.ts";
export { ManualTimer, nextTurn, systemTimer, type Timer } from "./timer.ts";
export { isWithin, printedTo, tolerances, widened, type Precision, type Tolerance } from "./tolerances.ts";
