/** What one test of the suite of games is. */
import { present, type JsonValue } from "../../base/index.ts";
import type { Match } from "../../games/index.ts";
import type { GameUnderTest } from "./game-under-test.ts";

export interface GameTest {
  readonly title: string;
  /** Why it does not concern this game; null where it does. */
  readonly skip?: <Task extends JsonValue>(game: GameUnderTest<Task>) => string | null;
  readonly run: <Task extends JsonValue>(game: GameUnderTest<Task>) => Promise<void>;
}

/** A test of what matches alone promise. */
export function matchTest(entry: {
  readonly title: string;
  readonly skip?: (match: Pick<Match, "facts">) => string | null;
  readonly run: <Task extends JsonValue>(game: GameUnderTest<Task>, match: Match<Task>) => Promise<void>;
}): GameTest {
  return {
    title: entry.title,
    skip: ({ match }) => (match === null ? "it is no match" : (entry.skip?.(match) ?? null)),
    run: (game) => entry.run(game, present(game.match, "a match")),
  };
}
