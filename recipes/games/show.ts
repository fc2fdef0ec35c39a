/** What a person sees: a row per round, and at the end the result beside its control. */
import type { Report, ReportTable } from "spar/train";
import { forfeitShare, type OutcomeCounts } from "./health.ts";
import type { Figures } from "./measuring.ts";
import type { World } from "./worlds.ts";

export function roundTable(report: Report, { match, figureNames }: World): ReportTable {
  return report.table(`${match.title}: exact figures of the policy after so many updates`, [
    { name: "updates" },
    { name: "games" },
    ...figureNames.map((name) => ({ name, digits: 3 })),
    { name: "forfeited", digits: 3 },
  ]);
}

export function roundRow(
  table: ReportTable,
  { figureNames }: World,
  round: { readonly update: number; readonly figures: Figures; readonly counts: OutcomeCounts },
): void {
  const { update, figures, counts } = round;
  table.row(
    update,
    counts.games,
    ...figureNames.map((name) => figures[name] ?? null),
    counts.games === 0 ? null : forfeitShare(counts),
  );
}

export interface Compared {
  readonly name: string;
  /** Before the first round and after each. */
  readonly curve: readonly Figures[];
}

/** Beside its controls: the honest end of the run. */
export function comparison(
  report: Report,
  { match, figureNames }: World,
  compared: readonly Compared[],
): void {
  const table = report.table(`${match.title}: before and after, beside the control`, [
    { name: "trained" },
    ...figureNames.map((name) => ({ name, digits: 3 })),
  ]);
  const row = (name: string, figures: Figures | undefined): void =>
    table.row(name, ...figureNames.map((figure) => figures?.[figure] ?? null));
  row("not at all", compared[0]?.curve[0]);
  for (const { name, curve } of compared) row(name, curve.at(-1));
  const [shown] = figureNames;
  if (shown === undefined) return;
  report.chart({
    title: shown,
    horizontalAxis: "round",
    series: compared.map(({ name, curve }) => ({
      name,
      values: curve.map((figures) => figures[shown] ?? 0),
    })),
  });
}
