/**
 * What a policy of a small game with hidden information has learned, as a person can read it: how often
 * it gives each reply in each situation.
 */
import type { MatchTree, Profile } from "spar/games";
import type { Report } from "spar/train";

/** More rows than this nobody reads. */
const mostSituations = 24;

/** Nothing where the game has too many situations for a table. */
export function showProfile(report: Report, title: string, tree: MatchTree, profile: Profile): void {
  const sets = [...tree.informationSets.values()].toSorted(
    (one, other) => tree.seats.indexOf(one.seat) - tree.seats.indexOf(other.seat),
  );
  if (sets.length > mostSituations) return;
  const choices = [...new Set(sets.flatMap((set) => set.choices))];
  const table = report.table(title, [
    { name: "seat" },
    { name: "situation" },
    ...choices.map((name) => ({ name, digits: 3 })),
    { name: "illegal", digits: 3 },
  ]);
  for (const { key, seat, position } of sets) {
    const behavior = profile[key];
    table.row(
      seat,
      position ?? "",
      ...choices.map((choice) => behavior?.choices[choice] ?? null),
      behavior?.illegal ?? null,
    );
  }
}
