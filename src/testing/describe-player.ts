/**
 * `describePlayer`: what everything that fills a seat must do, whoever wrote it. Called by the tests
 * of every player, ours and anybody's. Needs Vitest as a peer.
 */
import { describe, test } from "vitest";
import type { Player, PlayerRequest } from "../players/index.ts";
import { playerTests, type PlayerTest, type PlayerUnderTest } from "./players/player-tests.ts";

export interface DescribePlayerOptions {
  /** Heads the block of tests. */
  readonly name: string;
  readonly createPlayer: () => Player | Promise<Player>;
  /**
   * The same kind of player whose reply never comes: its server hangs, its engine stalls, its person
   * does not type. Null for players that wait for nothing.
   */
  readonly createWaitingPlayer: (() => Player | Promise<Player>) | null;
  /** Whether the same ask with the same seed gives the same reply. */
  readonly isDeterministic: boolean;
  /** What this player needs in a request; the usual one has the listed replies `a` and `b`. */
  readonly request?: Partial<PlayerRequest>;
  /** Tests that this player cannot pass, by title, with the reason. */
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
}

/** The titles of all tests of players. */
export const playerTestTitles: readonly string[] = playerTests.map(({ title }) => title);

/** Declares the suite for one kind of player. */
export function describePlayer(options: DescribePlayerOptions): void {
  describe(`${options.name} is a player`, () => {
    const unknown = (options.skip ?? []).filter(
      (skipped) => !playerTestTitles.includes(skipped.test) || skipped.reason.trim() === "",
    );
    for (const entry of playerTests) {
      test(entry.title, async (task) => {
        if (unknown.length > 0)
          throw new Error(`no test of players with a reason: ${JSON.stringify(unknown)}`);
        const reason = reasonToSkip(options, entry);
        if (reason !== null) task.skip(reason);
        await entry.run(underTest(options));
      });
    }
  });
}

/**
 * Runs one test of the suite by title, to prove that the suite catches a player that breaks it.
 * Rejects when the test fails.
 */
export async function runPlayerTest(
  title: string,
  options: Omit<DescribePlayerOptions, "name">,
): Promise<void> {
  const entry = playerTests.find((one) => one.title === title);
  if (entry === undefined) throw new Error(`expected the title of a test of players, got "${title}"`);
  await entry.run(underTest(options));
}

function underTest(options: Omit<DescribePlayerOptions, "name">): PlayerUnderTest {
  const { createPlayer, createWaitingPlayer, isDeterministic, request = {} } = options;
  return { createPlayer, createWaitingPlayer, isDeterministic, request };
}

function reasonToSkip(options: DescribePlayerOptions, entry: PlayerTest): string | null {
  const named = options.skip?.find((skipped) => skipped.test === entry.title);
  if (named !== undefined) return named.reason;
  if (entry.needs === "waiting" && options.createWaitingPlayer === null) return "it waits for nothing";
  if (entry.needs === "determinism" && !options.isDeterministic)
    return "it says that it is not deterministic";
  return null;
}
