/**
 * Reads the newest run below `runs/`: what it was, what it measured, and one episode turn by turn. A run folder is
 * all that there is: no process that trained is needed.
 *
 * Run: node read-a-run.ts
 */
import { listRuns, openRunReader } from "spar/store";

const newest = listRuns("runs").findLast((listing) => listing.kind === "run");
if (newest === undefined)
  throw new Error("no run below runs/: make one with npx spar run ./a-recipe-of-your-own.ts");

using run = openRunReader(newest.folder);
const { recipe, seed, engine } = run.manifest;
console.log(`${run.manifest.id}: recipe ${recipe.id}, engine ${engine.name}, seed ${seed}, ${run.status()}`);

for (const { name, index, value } of run.metrics()) {
  if (index % 5 === 0) console.log(`  ${name} ${index}: ${value.toFixed(2)}`);
}

const last = [...run.episodes()].at(-1);
if (last !== undefined) {
  console.log(`episode ${last.start.id} ended with ${JSON.stringify(last.end)}`);
  for (const { turn } of run.episode(last.start.id).turns) {
    const version = turn.player.version === null ? "" : `, version ${turn.player.version.number}`;
    const logprob = turn.logprobs[0] === undefined ? "" : `, log-probability ${turn.logprobs[0].toFixed(2)}`;
    console.log(`  ${turn.seat} (${turn.player.kind}${version}): ${JSON.stringify(turn.text)}${logprob}`);
  }
}
