/** What a person sees: a row per round, at the end the solver beside its controls. */
import type { Report, ReportTable } from "spar/train";
import { healthOf } from "./counts.ts";
import type { Figures } from "./evaluate.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import type { Seeds } from "./seeding.ts";
import type { Round } from "./self-play.ts";

export function roundTable(report: Report): ReportTable {
  return report.table("Self-play: what was proposed and answered in the steps up to", [
    { name: "step" },
    { name: "valid", digits: 3 },
    { name: "learnable", digits: 3 },
    { name: "repeats", digits: 3 },
    { name: "right", digits: 3 },
    { name: "entropy", digits: 3 },
    { name: "tokens", digits: 1 },
    { name: "never solved" },
    { name: "always" },
  ]);
}

export function roundRow(table: ReportTable, { rolloutCount }: AbsoluteZeroOptions, round: Round): void {
  const { stepIndex, counts } = round;
  const health = healthOf(counts);
  table.row(
    stepIndex,
    health.validShare,
    health.learnableShare,
    health.duplicateShare,
    health.rightShare,
    health.entropyNats,
    health.replyTokens,
    counts["solved/0"] ?? 0,
    counts[`solved/${rolloutCount}`] ?? 0,
  );
}

export function showSeeds(report: Report, { proposed, filled }: Seeds): void {
  const made = `${proposed.triplets} programs and ${proposed.inductions} tasks for induction`;
  const shipped = filled.triplets + filled.inductions;
  const more =
    shipped === 0 ? "." : `; ${filled.triplets} and ${filled.inductions} more came with the recipe.`;
  report.note(`Seeds: the model found ${made}${more}`);
}

export interface Compared {
  readonly name: string;
  readonly rounds: readonly Round[];
}

/** Beside its controls: the honest end of the run. Nothing where nothing is held out. */
export function comparison(
  report: Report,
  { taskTypes }: AbsoluteZeroOptions,
  start: Figures,
  compared: readonly Compared[],
): void {
  if (Object.keys(start).length === 0) return;
  const table = report.table(
    "Held-out programs of two to four statements: right most likely answers, and right at temperature 1",
    [
      { name: "trained" },
      ...taskTypes.flatMap((type) => [
        { name: type, digits: 3 },
        { name: "at 1", digits: 3 },
      ]),
      { name: "learnable", digits: 3 },
    ],
  );
  const row = (name: string, figures: Figures, learnableShare: number | null): void =>
    table.row(
      name,
      ...taskTypes.flatMap((type) => [figures[type]?.greedy ?? null, figures[type]?.sampled ?? null]),
      learnableShare,
    );
  row("warmed up", start, null);
  for (const { name, rounds } of compared) {
    const last = rounds.findLast(({ figures }) => figures !== null);
    row(name, last?.figures ?? {}, healthOf(rounds.at(-1)?.counts ?? {}).learnableShare);
  }
}

/** By how many statements a program has, for the result of the run. */
export function lastFigures(rounds: readonly Round[]): Figures | null {
  return rounds.findLast(({ figures }) => figures !== null)?.figures ?? null;
}
