/**
 * What counts as finished in a run folder, and that it is still there later: steps, metrics, episodes with their
 * turns, calls and verdicts, each once. Durations are among it, so what was done again is not taken for kept.
 */
import { existsSync } from "node:fs";
import { assert } from "../../src/base/index.ts";
import { openRunReader } from "../../src/store/index.ts";

/** Names and contents of everything that counts as finished. */
export function finishedIn(folder: string): ReadonlyMap<string, string> {
  const finished = new Map<string, string>();
  if (!existsSync(folder)) return finished;
  const add = (name: string, what: unknown): void => {
    assert(!finished.has(name), `${name} is counted twice`);
    finished.set(name, JSON.stringify(what));
  };
  using reader = openRunReader(folder);
  for (const { name, position, result } of reader.steps()) add(`step ${name}`, { position, result });
  for (const metric of reader.metrics())
    add(`metric ${metric.stepName} ${metric.name} ${metric.index}`, metric);
  for (const { start, end } of reader.episodes()) {
    if (end?.kind !== "finished") continue;
    const { turns, calls } = reader.episode(start.id);
    add(`episode ${start.id}`, { start, end });
    for (const { turn } of turns) add(`turn ${turn.id}`, { ...turn, logprobs: [...turn.logprobs] });
    for (const { call } of calls) add(`call ${call.id}`, call);
    for (const said of reader.annotations(start.id)) add(`said ${start.id} ${said.kind}`, said);
  }
  return finished;
}

/** @throws where something was lost or changed */
export function checkKept(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  for (const [name, what] of before) {
    assert(after.has(name), `${name} was finished and is lost`);
    assert(after.get(name) === what, `${name} was ${what} and is ${after.get(name)}`);
  }
}
