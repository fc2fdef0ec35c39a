/**
 * Games of Python libraries by name: `open-spiel:kuhn_poker`, `textarena:TicTacToe-v0`. Python is started
 * where one is asked for, and ends with the command. Knows no rules.
 */
import { SparError } from "../../base/index.ts";
import { openSpielMatch, textArenaMatch, type Match } from "../../games/index.ts";
import { pythonLibraries, startPythonGames, type PythonLibrary } from "../../services/index.ts";
import type { LocatedGame } from "./games.ts";

export interface PythonGameName {
  readonly library: PythonLibrary;
  readonly name: string;
}

export interface PythonPlace {
  /** What `--python` says; else what the system calls Python 3. */
  readonly python: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What was typed as the name of such a game; null where it is something else. */
export function pythonGameName(typed: string): PythonGameName | null {
  const library = pythonLibraries.find((one) => typed.startsWith(`${one}:`));
  return library === undefined ? null : { library, name: typed.slice(library.length + 1) };
}

export function usualPython(): string {
  return process.platform === "win32" ? "python" : "python3";
}

/** @throws `unknown-game`, `game-unsupported`, `package-missing`, `python-missing` and what the bridge throws */
export async function startPythonGame(
  { library, name }: PythonGameName,
  { python = usualPython(), environment }: PythonPlace,
): Promise<LocatedGame> {
  if (name === "") throw nameMissing(library);
  const games = startPythonGames({ python, environment });
  try {
    const description = await games.describe(library, name);
    const game: Match = library === "open-spiel" ? openSpielMatch(description) : textArenaMatch(description);
    return { game, ownFile: null, services: games.services, close: () => games.close() };
  } catch (thrown) {
    await games.close();
    throw thrown;
  }
}

function nameMissing(library: PythonLibrary): SparError {
  return new SparError({
    code: "unknown-game",
    boundary: "command",
    message: `expected the name of a game after ${library}:, got none`,
    hint:
      library === "open-spiel" ? "for example open-spiel:tic_tac_toe" : "for example textarena:TicTacToe-v0",
  });
}
