/**
 * Finds games: by folder in the package (`games/<id>/game.ts`), or one's own by path. A game that
 * cannot be loaded is reported as such in listings, it does not break them.
 */
import { resolve } from "node:path";
import { messageOf, SparError, suggestName } from "../../base/index.ts";
import type { Match } from "../../games/index.ts";
import type { Service } from "../../rollouts/index.ts";
import { loadModule, looksLikePath } from "./load-module.ts";
import { modulesByFolder, type PackageFolder } from "./package-folder.ts";

export interface LocatedGame {
  readonly game: Match;
  /** The file that it was loaded from, where it does not come with spar. */
  readonly ownFile: string | null;
  /** What it calls, by name; needed wherever it is played. */
  readonly services: Readonly<Record<string, Service>>;
  /** Ends its services. */
  close(): Promise<void>;
}

export type ListedGame =
  | { readonly kind: "loaded"; readonly id: string; readonly game: Match }
  | { readonly kind: "broken"; readonly id: string; readonly problem: string };

export interface GameRequest {
  /** An id, or the path of a file that exports `game`. */
  readonly typed: string;
  readonly place: PackageFolder;
  readonly workingFolder: string;
}

/**
 * @throws `unknown-game`, `file-missing`, `module-unreadable`, `not-a-game`
 */
export async function findGame(request: GameRequest): Promise<LocatedGame> {
  const { typed, place } = request;
  if (looksLikePath(typed)) {
    const ownFile = resolve(request.workingFolder, typed);
    return { game: await loadGame(ownFile), ownFile, ...withoutServices };
  }
  const known = modulesByFolder(place, "src/games", "game");
  const found = known.find(({ id }) => id === typed);
  if (found !== undefined) return { game: await loadGame(found.file), ownFile: null, ...withoutServices };
  const names = known.map(({ id }) => id);
  throw new SparError({
    code: "unknown-game",
    boundary: "command",
    message: `no game is called "${typed}"`,
    hint: `${suggestName(typed, names)}; or give the path of a file of yours, such as ./${typed}.ts, or a game of Python, such as open-spiel:tic_tac_toe`,
  });
}

const withoutServices = { services: {}, close: () => Promise.resolve() };

export async function listGames(place: PackageFolder): Promise<ListedGame[]> {
  const listed = modulesByFolder(place, "src/games", "game").map(
    async ({ id, file }): Promise<ListedGame> => {
      try {
        return { kind: "loaded", id, game: await loadGame(file) };
      } catch (thrown) {
        return { kind: "broken", id, problem: messageOf(thrown) };
      }
    },
  );
  return Promise.all(listed);
}

async function loadGame(file: string): Promise<Match> {
  const { game } = await loadModule({ file, kind: "game" });
  if (isGame(game)) return game;
  throw new SparError({
    code: "not-a-game",
    boundary: "command",
    message:
      game === undefined
        ? `${file} does not export a game`
        : `what ${file} exports as game is none: it lacks ${missingKeys(game).join(", ")}`,
    hint: 'export it by name: export const game = defineMatch({ ... }) with defineMatch from "spar/games"',
  });
}

const requiredKeys = ["id", "title", "rules", "seats", "facts", "defaultTask", "limits", "play"];

function isGame(value: unknown): value is Match {
  return missingKeys(value).length === 0;
}

function missingKeys(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return requiredKeys;
  return requiredKeys.filter((key) => !(key in value));
}
