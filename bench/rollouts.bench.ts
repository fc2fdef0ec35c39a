/**
 * Rollouts: turns per second of scripted tic-tac-toe, with nothing kept and with every turn durable in the database
 * of a run, beside the same game played by TextArena; measured in turns in one run, so that a busy machine slows
 * all. Then ten thousand episodes at once against an engine that answers batches of 256 in 50 ms.
 *
 *   npm run bench:rollouts -- [--python PATH] [--rounds N] [--games N]
 *
 * PATH is a Python with TextArena: `uv venv ../textarena && uv pip install --python ../textarena textarena==0.7.4`,
 * then `--python ../textarena/bin/python`. Without it the rest is measured.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { textArenaVersion, TextArenaProcess } from "./rollouts-textarena.ts";
import { DurablePlays, playUnrecorded, type Rate } from "./rollouts-tic-tac-toe.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: process.env["SPAR_BENCH_TEXTARENA"] ?? "python3" },
    rounds: { type: "string", default: "7" },
    games: { type: "string", default: "5000" },
  },
});
const rounds = Number(values.rounds);
const games = Number(values.games);
/** Programs warm up: the first rounds do not count. */
const warmUpRounds = 4;

function openTextArena(): TextArenaProcess | null {
  const probe = "import importlib.metadata, textarena; print(importlib.metadata.version('textarena'))";
  const { status, stdout } = spawnSync(values.python, ["-c", probe], { encoding: "utf8" });
  if (status !== 0) {
    console.log(`without TextArena: ${values.python} cannot import it; the head of this file says how`);
    return null;
  }
  if (stdout.trim() !== textArenaVersion)
    console.log(`TextArena ${stdout.trim()}, where ${textArenaVersion} is meant`);
  return new TextArenaProcess(values.python);
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const cell = (value: number, digits = 0): string =>
  (Number.isNaN(value) ? "-" : value.toFixed(digits)).padStart(12);

interface Round {
  readonly textArena: Rate | null;
  readonly unrecorded: Rate;
  readonly durable: Rate;
}

function printRates(measured: readonly Round[], pick: (rate: Rate) => number, title: string): void {
  console.log(
    `${title.padEnd(24)}${"TextArena".padStart(12)}${"unrecorded".padStart(12)}${"durable".padStart(12)}`,
  );
  const theirs = measured.map(({ textArena }) => (textArena === null ? Number.NaN : pick(textArena)));
  const columns = [
    measured.map(({ unrecorded }) => pick(unrecorded)),
    measured.map(({ durable }) => pick(durable)),
  ];
  console.log(
    `${"  turns/s".padEnd(24)}${cell(median(theirs))}${columns.map((own) => cell(median(own))).join("")}`,
  );
  const ratios = columns.map((own) => median(own.map((rate, round) => rate / (theirs[round] ?? Number.NaN))));
  console.log(
    `${"  ratio to TextArena".padEnd(24)}${cell(1)}${ratios.map((ratio) => cell(ratio, 2)).join("")}`,
  );
}

const textArena = openTextArena();
const durablePlays = new DurablePlays();
const measured: Round[] = [];
for (let round = -warmUpRounds; round < rounds; round++) {
  const answer = (await textArena?.play(games)) ?? null;
  const theirs =
    answer === null
      ? null
      : { perSecond: answer.turns / answer.seconds, perCpuSecond: answer.turns / answer.cpuSeconds };
  const unrecorded = await playUnrecorded(games, round);
  const durable = await durablePlays.play(games, round);
  if (round >= 0) measured.push({ textArena: theirs, unrecorded, durable });
}
textArena?.close();
console.log(
  `tic-tac-toe, ${games} games a round, median of ${rounds} rounds after ${warmUpRounds} to warm up`,
);
printRates(measured, ({ perSecond }) => perSecond, "by the clock");
printRates(measured, ({ perCpuSecond }) => perCpuSecond, "by processor time");
const { turnCount, bytes } = durablePlays.close();
console.log(
  `${turnCount} turns in the database, ${(bytes / turnCount).toFixed(1)} bytes a turn, episodes included`,
);

const program = new URL("rollouts-concurrent.ts", import.meta.url).pathname;
const concurrent = spawnSync(process.execPath, ["--conditions=source", program], { stdio: "inherit" });
process.exitCode = concurrent.status ?? 1;
