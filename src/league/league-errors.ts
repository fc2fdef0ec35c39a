/** What a league refuses: it was asked for something that it does not have. */
import { SparError } from "../base/index.ts";

export type LeagueErrorCode = "pool-empty" | "pool-member-unknown" | "contestants-missing" | "seats-missing";

export function leagueError(code: LeagueErrorCode, message: string, hint: string): SparError {
  return new SparError({ code, boundary: "recipe", message, hint });
}
