/** `spar replay RUN [EPISODE]`: shows an episode from the record, or which ones there are. */
import type { Command } from "commander";
import { SparError, suggestName } from "../../base/index.ts";
import { type EpisodeSummary, type RunReader } from "../../store/index.ts";
import { commandName } from "../command-name.ts";
import { openRun } from "../discovery/open-run.ts";
import { outcomeText } from "../match-outcome.ts";
import { episodeLines } from "../replay/episode-text.ts";
import { tokenizerOfRun } from "../replay/run-tokenizers.ts";
import { runArgument } from "../run-argument.ts";
import type { Shell } from "../shell.ts";
import { shellWord } from "../shell-word.ts";
import { countOf, formatCount } from "../terminal/format.ts";
import { formatTable } from "../terminal/table.ts";
import { wholeNumber } from "./number-argument.ts";
import { addCommonOptions } from "./recipe-options.ts";

interface ReplayOptions {
  readonly runsFolder?: string;
  readonly step?: string;
  readonly limit: number;
}

const usualLimit = 40;

export function addReplayCommand(program: Command, shell: Shell): void {
  const command = program
    .command("replay <run> [episode]")
    .description("show an episode of a run as text; without one, list them")
    .option("--step <name>", "list the episodes of this step only")
    .option(
      "--limit <count>",
      "list the last ones, at most so many; 0 lists all",
      wholeNumber({ minimum: 0 }),
      usualLimit,
    )
    .option("--runs-folder <folder>", "where runs are kept")
    .action(async (run: string, episode: string | undefined, options: ReplayOptions) => {
      using reader = openRun(run, options.runsFolder, shell);
      if (episode === undefined) listEpisodes(reader, options, shell);
      else await showEpisode(reader, episode, shell);
    });
  addCommonOptions(command);
}

function listEpisodes(reader: RunReader, options: ReplayOptions, shell: Shell): void {
  const last: EpisodeSummary[] = [];
  const stepCounts = new Map<string, number>();
  let count = 0;
  for (const summary of reader.episodes(options.step === undefined ? {} : { stepName: options.step })) {
    count++;
    stepCounts.set(summary.start.stepName, (stepCounts.get(summary.start.stepName) ?? 0) + 1);
    last.push(summary);
    // What was learned shows in the last ones.
    if (options.limit > 0 && last.length > options.limit) last.shift();
  }
  if (count === 0) throw noEpisodes(reader, options);
  const columns = ["episode", "game", "turns", "task", "outcome"].map((name) => ({ name }));
  shell.screen.print(...formatTable(columns, last.map(episodeRow), shell.screen.maximumWidth));
  if (count > last.length)
    shell.screen.notice(
      `${countOf(count - last.length, "earlier episode")}: --limit 0 lists all, --step those of one: ${tellSteps(stepCounts)}`,
    );
  shell.screen.notice(
    `show one: ${commandName(shell)} replay ${runArgument(reader.paths.folder, shell)} ${shellWord(last.at(-1)?.start.id ?? "")}`,
  );
}

const toldSteps = 12;

/** `answer-0 (1,601), answer-1 (1,601)`: the steps that played, and how many episodes. */
function tellSteps(counts: ReadonlyMap<string, number>): string {
  const told = [...counts].slice(0, toldSteps).map(([name, count]) => `${name} (${formatCount(count)})`);
  return counts.size > told.length ? `${told.join(", ")}, ... (${counts.size} steps)` : told.join(", ");
}

function episodeRow({ start, end, turnCount }: EpisodeSummary): string[] {
  const outcome =
    end === null ? "unfinished" : end.kind === "finished" ? outcomeText(end.outcome) : end.failure.code;
  return [start.id, start.game, String(turnCount), JSON.stringify(start.task), outcome];
}

async function showEpisode(reader: RunReader, episodeId: string, shell: Shell): Promise<void> {
  const ids = new Set<string>();
  for (const { start } of reader.episodes()) ids.add(start.id);
  if (!ids.has(episodeId)) throw unknownEpisode(episodeId, [...ids]);
  const tokenizer = await tokenizerOfRun(reader, null);
  const lines = episodeLines(reader.episode(episodeId), {
    annotations: reader.annotations(episodeId),
    decode: tokenizer === null ? null : (tokenIds) => tokenizer.decode(tokenIds),
    style: shell.screen.style,
  });
  shell.screen.print(...lines);
}

function unknownEpisode(typed: string, ids: readonly string[]): SparError {
  const listed = ids.slice(0, 3);
  return new SparError({
    code: "record-unknown",
    boundary: "command",
    message: `the run has no episode "${typed}"`,
    hint:
      ids.length === 0
        ? "it has none at all"
        : `${suggestName(typed, listed)}, ... ; spar replay RUN lists all`,
  });
}

function noEpisodes(reader: RunReader, options: ReplayOptions): SparError {
  const steps = [...new Set([...reader.episodes()].map(({ start }) => start.stepName))];
  return new SparError({
    code: "record-unknown",
    boundary: "command",
    message:
      options.step === undefined
        ? "the run has no episodes"
        : `the run has no episodes of a step "${options.step}"`,
    hint:
      options.step === undefined
        ? "its recipe plays none, or it was stopped before the first"
        : suggestName(options.step, steps),
  });
}
