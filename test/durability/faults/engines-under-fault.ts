/**
 * The engines that runs under faults can stand on, and how long everything waits there: a wait that is too
 * short for what an engine does would be the only fault that is ever met.
 */
import type { Engine } from "../../../src/contract/index.ts";
import { createFakeEngine } from "../../../src/testing/fake/engine.ts";

export const faultyEngineNames = ["fake", "embedded"] as const;
export type FaultyEngineName = (typeof faultyEngineNames)[number];

export interface EngineUnderFault {
  readonly name: FaultyEngineName;
  /** Of every wait while things go wrong. */
  readonly waitMs: number;
  /** With this one nearly everything misses its deadline at some time. */
  readonly hastyWaitMs: number;
  /** Beyond the deadline. */
  readonly lateMs: number;
  /** A hang that no deadline ends, because the engine broke its contract, is ended by a person. */
  readonly patienceMs: number;
  /** Whether it computes on a thread of its own, which can die. */
  readonly hasThread: boolean;
  readonly start: (timeoutMs: number) => Promise<Engine>;
}

export const enginesUnderFault: Readonly<Record<FaultyEngineName, EngineUnderFault>> = {
  fake: {
    name: "fake",
    waitMs: 120,
    hastyWaitMs: 12,
    lateMs: 360,
    patienceMs: 5_000,
    hasThread: false,
    start: async (defaultTimeoutMs) => createFakeEngine({ defaultTimeoutMs }),
  },
  embedded: {
    name: "embedded",
    waitMs: 1_000,
    hastyWaitMs: 100,
    lateMs: 2_000,
    patienceMs: 4_000,
    hasThread: true,
    start: async () =>
      (await import("../../../src/engines/embedded/engine.ts")).createEngine({ threadCount: 1 }),
  },
};
