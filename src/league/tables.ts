/**
 * Matrices and ratings as tables of a report: titles, columns, rows. Knows no report; whoever has one
 * begins a table with the columns and adds the rows.
 */
import type { CrossPlay, CrossPlayCell } from "./cross-play.ts";
import { rankPlayers, type Ratings } from "./ratings.ts";

/** What `report.table(title, columns)` and its `row(...cells)` take. */
export interface LeagueTable {
  readonly title: string;
  readonly columns: readonly { readonly name: string; readonly digits?: number }[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** The part of a report that is needed; that of a run is one. */
export interface TableReport {
  table(title: string, columns: LeagueTable["columns"]): { row(...cells: LeagueTable["rows"][number]): void };
}

/** Adds a whole table to a report. */
export function reportTable(report: TableReport, { title, columns, rows }: LeagueTable): void {
  const table = report.table(title, columns);
  for (const row of rows) table.row(...row);
}

/**
 * A row for each player in each seat, a column for each opponent with wins/draws/losses; then its mean
 * return over all opponents, and the shares of its matches that it forfeited and that failed.
 */
export function crossPlayTable(crossPlay: CrossPlay): LeagueTable {
  const { match, players, seats, cells } = crossPlay;
  const rows = players.flatMap((player) =>
    seats.map((seat) => {
      const own = cells.filter((cell) => cell.player === player && cell.seat === seat);
      const against = players.map((opponent) => own.find((cell) => cell.opponent === opponent));
      return [player, seat, ...against.map(cellText), ...sumsOf(own)];
    }),
  );
  return {
    title: `Cross-play of ${match}: wins/draws/losses against`,
    columns: [
      { name: "player" },
      { name: "seat" },
      ...players.map((name) => ({ name })),
      { name: "mean return", digits: 2 },
      { name: "forfeits", digits: 3 },
      { name: "failures", digits: 3 },
    ],
    rows,
  };
}

/** Best first, with the interval in which the skill lies in 95 of 100 cases. */
export function ratingsTable(ratings: Ratings, title: string = "Ratings (Glicko-2)"): LeagueTable {
  return {
    title,
    columns: [
      { name: "player" },
      { name: "rating", digits: 0 },
      { name: "±", digits: 0 },
      { name: "from", digits: 0 },
      { name: "to", digits: 0 },
    ],
    rows: rankPlayers(ratings).map(({ name, rating, deviation, low, high }) => [
      name,
      rating,
      1.96 * deviation,
      low,
      high,
    ]),
  };
}

function cellText(cell: CrossPlayCell | undefined): string | null {
  return cell === undefined ? null : `${cell.wins}/${cell.draws}/${cell.losses}`;
}

function sumsOf(cells: readonly CrossPlayCell[]): (number | null)[] {
  const sum = (of: (cell: CrossPlayCell) => number): number =>
    cells.reduce((total, cell) => total + of(cell), 0);
  const matchCount = sum((cell) => cell.matchCount);
  const finished = matchCount - sum((cell) => cell.failures);
  const total = sum((cell) => (cell.meanReturn ?? 0) * (cell.matchCount - cell.failures));
  return [
    finished === 0 ? null : total / finished,
    finished === 0 ? null : sum((cell) => cell.forfeits) / finished,
    matchCount === 0 ? null : sum((cell) => cell.failures) / matchCount,
  ];
}
