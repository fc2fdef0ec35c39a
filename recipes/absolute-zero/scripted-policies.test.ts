/**
 * The method on policies that are known, with the real sandbox: who is always right and who is always wrong leaves nothing to
 * learn, who flips a coin leaves half; the buffers grow alike.
 */
import { createRandom, systemClock, type Random } from "spar/base";
import { scriptedPlayer, type Player } from "spar/players";
import { unrecordedStep } from "spar/rollouts";
import { openPythonSandbox, type PythonSandbox } from "spar/verifiers/python";
import type { Step } from "spar/train";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { emptyBuffers, growAll, noTasks } from "./buffer-set.ts";
import { applyLetters, tripletOf } from "./list-programs.ts";
import { absoluteZeroOptions } from "./options.ts";
import { drawInspirations, propose } from "./propose.ts";
import { proposalReward, validTasks } from "./responses.ts";
import { executorOf, servicesOf } from "./services.ts";
import { openWorld } from "./worlds.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const options = absoluteZeroOptions.parse({ batchSize: 30, rolloutCount: 8 });
let sandbox: PythonSandbox;
beforeAll(async () => {
  sandbox = await openPythonSandbox({ workerCount: 2 });
});
afterAll(() => sandbox.close());

/** `dLLLLdddd`: what comes out of the letters for these digits. */
function rightAnswer(prompt: string): string {
  const [, text = "", digits = ""] = /^d([a-z]*)\.*(\d{4})$/u.exec(prompt) ?? [];
  return applyLetters(text, [...digits].map(Number)).join("");
}

function solver(isRight: (random: Random) => boolean): Player {
  return scriptedPlayer({
    name: "scripted",
    reply: ({ segments }, random) => {
      const right = rightAnswer(
        segments.map((segment) => (segment.kind === "text" ? segment.text : "")).join(""),
      );
      return isRight(random) ? right : right.replace(/^./u, (digit) => String((Number(digit) + 1) % 10));
    },
  });
}

async function played(player: Player): Promise<{ reward: number; valid: number }> {
  const random = createRandom(7);
  const world = await openWorld(options, random);
  const step = unrecordedStep({
    random,
    signal: new AbortController().signal,
    clock: systemClock,
  }) as unknown as Step;
  const buffers = growAll(
    emptyBuffers,
    { ...noTasks, deduction: [tripletOf("rs", "3142")] },
    { step: 0, capacity: 100 },
  );
  const count = options.batchSize;
  const proposals = await propose(
    { options, step, world, services: servicesOf(options, executorOf(options, sandbox), world) },
    {
      name: "scripted",
      inspirations: drawInspirations({ options, world }, buffers, { type: "deduction", count, random }),
      proposer: null,
      solver: player,
      rolloutCount: options.rolloutCount,
    },
  );
  const rewards = proposals.flatMap(({ episode: { outcome } }) =>
    outcome === null || outcome.kind === "neutral"
      ? []
      : [proposalReward(outcome, options, { keys: new Set(), outputs: new Map() }) ?? Number.NaN],
  );
  return {
    reward: rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length,
    valid: validTasks(proposals).deduction.length,
  };
}

test("always right and always wrong earn the proposer nothing, a coin half; buffers grow alike", async () => {
  const right = await played(solver(() => true));
  const wrong = await played(solver(() => false));
  const coin = await played(solver((random) => random.uniform() < 0.5));
  expect(right).toEqual({ reward: 0, valid: options.batchSize });
  expect(wrong).toEqual(right);
  expect(coin.valid).toBe(right.valid);
  // E[1 - k/8] over eight fair coins, without the cases that earn nothing, is 0.496; 30 proposals deviate by 0.03.
  expect(Math.abs(coin.reward - 0.496)).toBeLessThan(0.12);
});
