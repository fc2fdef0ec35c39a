/** What one test of the suite of games is. */
import type { JsonValue } from "../../base/index.ts";
import type { Match } from "../../games/index.ts";
import type { GameUnderTest } from "./game-under-test.ts";

export interface GameTest {
  readonly title: string;
  /** Why it does not concern this game; null where it does. */
  readonly skip?: (match: Match) => string | null;
  readonly run: <Task extends JsonValue>(game: GameUnderTest<Task>) => Promise<void>;
}
