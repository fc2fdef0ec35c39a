/**
 * A run folder that is cut or whose bits flip: what can still be read must be the truth, whole commits of
 * it, and what cannot must be refused by name. Used by the test beside it and by the long ones.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, isSparError, type Random } from "../../src/base/index.ts";
import { episodeIdOf, type EpisodeStart } from "../../src/records/index.ts";
import { openRunReader, RunStore, type StepCommit } from "../../src/store/index.ts";
import {
  episodeStart,
  manifest,
  nothingAttached,
  stepCommit,
  stillClock,
  turnOf,
} from "../fixtures/durability/records.ts";

const stepName = (position: number): string => `step ${position}`;
const episodesPerStep = 4;

export interface WriteOptions {
  readonly stepCount: number;
  /** Characters of each turn's text: how fast the database grows. */
  readonly textLength: number;
  /** Called between commits, while the run is open, to take copies of the folder. */
  readonly betweenCommits?: (commitCount: number) => void;
}

/** Writes a run in which every kind of record occurs. */
export async function writeRun(folder: string, options: WriteOptions): Promise<void> {
  const store = RunStore.create(folder, manifest, stillClock);
  store.event("run-start", { repeatedSteps: [] });
  for (let position = 0; position < options.stepCount; position++) {
    // Some steps are done twice, as after a crash between two saves.
    if (position % 3 === 2) {
      await writeStep(store, position, options.textLength);
      store.supersedeFrom(position);
      store.episodes.setAside(store.episodes.idsOf(stepName(position)));
    }
    options.betweenCommits?.(position);
    await writeStep(store, position, options.textLength);
  }
  store.close();
}

async function writeStep(store: RunStore, position: number, textLength: number): Promise<void> {
  for (let index = 0; index < episodesPerStep; index++) {
    await writeEpisode(store, episodeStart(idOf(position, index), stepName(position)), textLength);
  }
  const target = { kind: "episode", episodeId: idOf(position, 0) } as const;
  const file = { path: "weights", bytes: position, sha256: String(position).repeat(64).slice(0, 64) };
  store.commit(commitOf(position), {
    checkpoints: [
      { folder: `policy.${position}`, policy: "policy", bytes: position, files: [file], digest: null },
    ],
    reports: [{ place: "inside", event: { kind: "note", text: `note ${position}` } }],
    metrics: [1, 2, Number.NaN].map((value, index) => ({
      index: position,
      name: `train/loss${index}`,
      value,
    })),
    annotations: [{ kind: "reward", target, name: "won", components: { won: position } }],
  });
}

function idOf(position: number, index: number): string {
  return episodeIdOf(stepName(position), "episodes", index);
}

function commitOf(position: number): StepCommit {
  return stepCommit(position, { name: stepName(position), durationMs: position + 0.5 });
}

async function writeEpisode(store: RunStore, start: EpisodeStart, textLength: number): Promise<void> {
  const { id } = start;
  const { episodes } = store;
  episodes.start(start);
  const text = "x".repeat(textLength);
  episodes.turns([turnOf(id, 0, { text }), turnOf(id, 0, { siblingIndex: 1, parsed: [1] })], "ask 0", 1);
  const call = { id: `${id}:1`, episodeId: id, sequence: 1, service: "double", input: 1, output: 2 };
  episodes.call({ ...call, failure: null, durationMs: 1.5 }, 2);
  episodes.refuse(id, 2, 3);
  episodes.turns([turnOf(id, 3, { contextParent: `${id}:0.1`, sampling: null })], "ask 3", 4);
  await episodes.end(id, { kind: "finished", outcome: text.length });
}

/** Every record that a folder gives, by name; reading it all is the test. */
export function recordsOf(folder: string): Map<string, string> {
  using reader = openRunReader(folder);
  const records = new Map<string, string>();
  const add = (name: string, record: unknown): void => void records.set(name, JSON.stringify(record));
  add("manifest", reader.manifest);
  for (const step of reader.steps({ includeSuperseded: true })) {
    const { isSuperseded, id, ...written } = step;
    add(`row ${id}`, written);
    // Of two tries of a step the later one counts, once it is there; both say the same.
    if (!isSuperseded) add(step.name, written);
  }
  for (const [index, metric] of [...reader.metrics()].entries()) add(`metric ${index}`, metric);
  for (const [index, report] of [...reader.reports()].entries()) add(`report ${index}`, report);
  for (const [index, event] of [...reader.events()].entries()) add(`event ${index}`, event);
  for (const { start, turnCount } of reader.episodes()) addEpisode(reader, { id: start.id, turnCount }, add);
  for (const name of [...records.keys()].filter((key) => /^step \d+$/.test(key))) {
    const folderName = `policy.${name.slice("step ".length)}`;
    add(folderName, { ...reader.checkpoint(folderName), path: folderName });
  }
  return records;
}

function addEpisode(
  reader: ReturnType<typeof openRunReader>,
  episode: { readonly id: string; readonly turnCount: number },
  add: (name: string, record: unknown) => void,
): void {
  const { start, end, turns, calls, refusals } = reader.episode(episode.id);
  add(`${start.id} start`, start);
  if (end !== null) add(`${start.id} end`, { end, turns: episode.turnCount });
  for (const turn of turns)
    add(turn.turn.id, { ...turn, turn: { ...turn.turn, logprobs: [...turn.turn.logprobs] } });
  for (const call of calls) add(call.call.id, call);
  for (const refusal of refusals) add(`${start.id} refusal ${refusal.sequence}`, refusal);
  for (const [index, annotation] of reader.annotations(start.id).entries())
    add(`${start.id} annotation ${index}`, annotation);
}

/** Codes by which a damaged folder may be refused. */
const refusals: ReadonlySet<string> = new Set(["run-corrupt", "not-a-run", "run-too-new", "run-too-old"]);

export type Verdict = { readonly kind: "refused" } | { readonly kind: "read"; readonly stepCount: number };

/**
 * Reads a damaged folder as people and programs do, and goes on with it as a resumed run does.
 *
 * @throws where anything was read that is not the truth, a commit was read in part, the refusal is no
 * clear error, or going on fails
 */
export async function judgeDamaged(folder: string, truth: ReadonlyMap<string, string>): Promise<Verdict> {
  const read = refusedOr(() => recordsOf(folder));
  if (read !== null) checkTruth(read, truth);
  const store = refusedOr(() => RunStore.open(folder, stillClock));
  if (store === null) return { kind: "refused" };
  try {
    const stepCount = store.steps.count();
    // Damage of a record that nobody needs any more is told to whoever reads it.
    if (read !== null) await goOn(store, stepCount);
    return read === null ? { kind: "refused" } : { kind: "read", stepCount };
  } finally {
    store.close();
  }
}

function refusedOr<T>(open: () => T): T | null {
  try {
    return open();
  } catch (thrown) {
    assert(isSparError(thrown), `expected a typed error, got ${String(thrown)}`);
    assert(
      refusals.has(thrown.code),
      `expected a refusal of the folder, got ${thrown.code}: ${thrown.message}`,
    );
    assert(thrown.hint !== null, `expected a hint with ${thrown.code}`);
    return null;
  }
}

function checkTruth(read: ReadonlyMap<string, string>, truth: ReadonlyMap<string, string>): void {
  for (const [name, record] of read) {
    assert(truth.get(name) === record, `read ${name} as ${record}, the truth is ${truth.get(name)}`);
  }
  const steps = [...read.keys()].filter((name) => /^step \d+$/.test(name));
  const ended = [...read.keys()].filter((name) => name.endsWith(" end")).map((name) => name.slice(0, -4));
  // What was committed together is read together.
  for (const [position, name] of steps.entries()) {
    assert(name === stepName(position), `expected ${stepName(position)} at its place, read ${name}`);
    for (const other of [`metric ${position * 3 + 2}`, `report ${position}`, `policy.${position}`])
      assert(read.has(other), `read ${name} without ${other}`);
    for (let index = 0; index < episodesPerStep; index++)
      assert(read.has(`${idOf(position, index)} end`), `read ${name} without its episode ${index}`);
    assert(read.has(`${idOf(position, 0)} annotation 0`), `read ${name} without its reward`);
  }
  for (const id of ended) {
    const parts = [":0.0", ":0.1", ":1", " refusal 2", ":3.0"].map((part) => `${id}${part}`);
    for (const part of parts) assert(read.has(part), `read the end of ${id} without ${part}`);
  }
}

/** A resumed run: what is there of the next step is gone on with, and the step is committed. */
async function goOn(store: RunStore, position: number): Promise<void> {
  const { episodes } = store;
  for (let index = 0; index < episodesPerStep; index++) {
    const start = episodeStart(idOf(position, index), stepName(position));
    const found = episodes.find(start.id);
    if (found?.end) continue;
    if (found !== null) episodes.setAside([start.id]);
    await writeEpisode(store, start, 1);
  }
  store.commit(commitOf(position), nothingAttached);
  store.steps.verify();
  for (let earlier = 0; earlier <= position; earlier++)
    assert(episodes.turnsOf(stepName(earlier)).length === 3 * episodesPerStep, `turns of step ${earlier}`);
}

export interface Damage {
  readonly file: string;
  readonly kind: "cut" | "flip" | "lose";
  /** The first byte that is gone, or the one in which a bit flips. */
  readonly offset: number;
  readonly bit: number;
}

/** A place drawn evenly from one of the files. */
export function randomDamage(random: Random, folder: string, files: readonly string[]): Damage {
  const file = random.pick(files);
  const kind = random.pick(["cut", "flip", "flip", "flip"] as const);
  return {
    file,
    kind,
    offset: random.integer(readFileSync(join(folder, file)).length),
    bit: random.integer(8),
  };
}

/** Makes `target` a copy of `folder` with the damage. */
export function copyDamaged(folder: string, target: string, damage: Damage): void {
  rmSync(target, { recursive: true, force: true });
  cpSync(folder, target, { recursive: true });
  const path = join(target, damage.file);
  if (damage.kind === "lose") return rmSync(path);
  const bytes = readFileSync(path);
  if (damage.kind === "cut") return writeFileSync(path, bytes.subarray(0, damage.offset));
  bytes[damage.offset] = (bytes[damage.offset] ?? 0) ^ (1 << damage.bit);
  writeFileSync(path, bytes);
}
