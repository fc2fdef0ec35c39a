/**
 * `describeGame`: the tests that every game gets, ours and anybody's: it ends, survives bad replies and
 * used-up limits, can be played again from its record, tells nobody another's secrets, and plays as its
 * recorded transcript says. Matches keep the facts that they state besides. Needs Vitest as a peer.
 */
import { describe, test } from "vitest";
import type { JsonValue } from "../base/index.ts";
import type { Game } from "../games/index.ts";
import { factsTests } from "./games/facts-tests.ts";
import type { GameTest } from "./games/game-test.ts";
import { GameUnderTest, type DescribeGameOptions } from "./games/game-under-test.ts";
import { knowledgeTests } from "./games/knowledge-tests.ts";
import { purityTests } from "./games/purity-tests.ts";
import { replyTests } from "./games/reply-tests.ts";
import { transcriptTests } from "./games/transcript-tests.ts";

const gameTests: readonly GameTest[] = [
  ...factsTests,
  ...replyTests,
  ...purityTests,
  ...knowledgeTests,
  ...transcriptTests,
];

/** The titles of all tests of games. */
export const gameTestTitles: readonly string[] = gameTests.map(({ title }) => title);

/** Declares the suite for one game; what only a match can promise is skipped where it is none. */
export function describeGame<Task extends JsonValue>(
  game: Game<Task>,
  options: DescribeGameOptions<Task>,
): void {
  const underTest = new GameUnderTest(game, options);
  describe(`${underTest.title} is a sound game`, () => {
    for (const entry of gameTests) {
      test(entry.title, { timeout: 60_000 }, async (task) => {
        const reason = entry.skip?.(underTest) ?? null;
        if (reason !== null) task.skip(reason);
        await entry.run(underTest);
      });
    }
  });
}

/**
 * Runs one test of the suite by title, to prove that the suite catches a game that breaks it. Rejects
 * when the test fails or does not concern the game.
 */
export async function runGameTest<Task extends JsonValue>(
  title: string,
  game: Game<Task>,
  options: DescribeGameOptions<Task>,
): Promise<void> {
  const entry = gameTests.find((one) => one.title === title);
  if (entry === undefined) throw new Error(`expected the title of a test of games, got "${title}"`);
  const underTest = new GameUnderTest(game, options);
  const reason = entry.skip?.(underTest) ?? null;
  if (reason !== null) throw new Error(`skipped: ${reason}`);
  await entry.run(underTest);
}
