/** Whether games of OpenSpiel and TextArena can be played here: Python and its packages, which nothing else needs. */
import { isSparError, messageOf } from "../../base/index.ts";
import { pythonLibraries, startPythonGames } from "../../services/index.ts";
import { usualPython, type PythonPlace } from "../discovery/python-games.ts";
import type { Check } from "./check.ts";

const purposes = {
  "open-spiel": "for games like open-spiel:kuhn_poker",
  textarena: "for games like textarena:TicTacToe-v0",
} as const;

export async function checkPython({ python = usualPython(), environment }: PythonPlace): Promise<Check[]> {
  await using games = startPythonGames({ python, environment });
  try {
    const { executable, packages } = await games.probe();
    return pythonLibraries.map((library): Check => {
      const version = packages[library];
      const name = `Python package ${library}`;
      return version === null
        ? {
            name,
            status: "optional",
            detail: `not installed, only ${purposes[library]}`,
            fix: `${executable} -m pip install ${library}`,
          }
        : { name, status: "ok", detail: `${version}, ${purposes[library]}`, fix: null };
    });
  } catch (thrown) {
    const fix = isSparError(thrown) && thrown.hint !== null ? thrown.hint : "spar doctor --python PATH";
    const detail = `${messageOf(thrown)}, only for games of OpenSpiel and TextArena`;
    return [{ name: "Python", status: "optional", detail, fix }];
  }
}
