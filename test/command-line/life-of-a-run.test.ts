/** What somebody does with a run, one command after the other, against the real command. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../fixtures/cli/spawn-command.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/cli/${name}`, import.meta.url));
const letters = [fixture("recipe.ts"), "--engine", fixture("engine.ts")];

let folder = "";
/** What the first run printed. */
let told = "";

async function spar(...words: readonly string[]): Promise<string> {
  const { code, output, errors } = await runCommand(words, { workingFolder: folder });
  expect(errors).not.toMatch(/error:/u);
  expect(code).toBe(0);
  return output;
}

interface Line {
  readonly kind: string;
  readonly isReplayed?: boolean;
}

function parseLines(output: string): Line[] {
  return output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("the life of a run", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "spar-cli-"));
    told = await spar("run", ...letters, "--name", "first", "--seed", "3");
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.concurrent("it is listed, and so are engines with their executors", async () => {
    const { runs, engines } = JSON.parse(await spar("list", "--json"));
    const first = { id: "first", status: "finished", recipe: "letters", preset: "nano", seed: 3 };
    expect(runs).toContainEqual(expect.objectContaining(first));
    expect(engines).toContainEqual({ id: "embedded", setUpCommand: null });
    expect(engines).toContainEqual(expect.objectContaining({ id: "embedded:native" }));
    const address = { setUpCommand: expect.stringContaining("SPAR_TINKER_URL") as string };
    expect(engines).toContainEqual({ id: "tinker:skyrl", ...address });
    expect(await spar("list")).toMatch(/^tinker\[:hosted\|.+\] +first type: .*--url/mu);
    expect(await spar("list")).toMatch(/^first +letters +nano +engine\.ts +\d+ +finished /mu);
  });

  test.concurrent("resuming a finished run tells it again and does nothing", async () => {
    const lines = parseLines(await spar("resume", "first", "--json"));
    const steps = lines.filter(({ kind }) => kind === "step-end");
    expect(steps.length).toBeGreaterThan(3);
    expect(steps.every(({ isReplayed }) => isReplayed === true)).toBe(true);
    expect(lines.at(-1)).toMatchObject({ kind: "summary", result: { after: { number: 2 } } });
  });

  test.concurrent("the same seed gives the same numbers", async () => {
    expect(await spar("run", ...letters, "--name", "second", "--seed", "3")).toMatch(
      /^folder +runs\/second$/mu,
    );
    await spar("export", "first", "--what", "records", "--to", "first-again");
    await spar("export", "second", "--what", "records", "--to", "second-records");
    const read = (name: string): string => readFileSync(join(folder, name, "metrics.jsonl"), "utf8");
    expect(parseLines(read("first-again"))).toHaveLength(3);
    expect(read("second-records")).toBe(read("first-again"));
  });

  test.concurrent("sampling shows the start and the end beside each other", async () => {
    const output = await spar("sample", "first", "--prompt", "ab", "--count", "2");
    expect(output).toMatch(/^> ab\noldest: version 1 +│ newest: version 2\n.+│.*\n.+│.*\n/u);
    const words = ["sample", "first", "--json", "--temperature", "0"];
    const piped = await runCommand(words, { workingFolder: folder, input: "ab\n\nabc\n" });
    expect(parseLines(piped.output)).toMatchObject([{ prompt: "ab" }, { prompt: "abc" }]);
  });

  test.concurrent("episodes are listed and shown", async () => {
    expect(await spar("replay", "first")).toMatch(/^play\/episodes#0 +continuation +1 +"a" +"[a-h]*"$/mu);
    expect(await spar("replay", "first", "play/episodes#1")).toMatch(
      /task: "ab"\n(.*\n)*\[0\] writer .*\n.*\n {4}[a-h]{0,3}\n/u,
    );
  });

  test.concurrent("the steps that played are told where a list is cut, and where there is no such step", async () => {
    const run = (...words: readonly string[]): ReturnType<typeof runCommand> =>
      runCommand(["replay", "first", ...words], { workingFolder: folder });
    expect((await run("--limit", "1")).errors).toMatch(/^1 earlier episode: .*--step .*: play \(2\)\n/u);
    expect((await run("--step", "plai")).errors).toMatch(/hint: +did you mean "play"\? known: play\n/u);
  });

  test.concurrent("weights and tokenizer are exported in the hub's formats", async () => {
    await spar("export", "first", "--to", "model");
    for (const file of ["config.json", "model.safetensors", "tokenizer.json"]) {
      expect(existsSync(join(folder, "model", file))).toBe(true);
    }
  });

  test.concurrent("exports go below the run where no folder is named, and leave the working folder alone", async () => {
    expect(await spar("export", "first")).toMatch(
      /^runs\/first\/exports\/writer-version-2: writer, version 2, /u,
    );
    expect(await spar("export", "first", "--what", "records")).toMatch(/^runs\/first\/exports\/records\n/u);
    const exports = join(folder, "runs", "first", "exports");
    expect(existsSync(join(exports, "writer-version-2", "config.json"))).toBe(true);
    expect(existsSync(join(exports, "records", "episodes.jsonl"))).toBe(true);
    expect(readdirSync(folder).filter((name) => name.startsWith("first-") && name !== "first-again")).toEqual(
      [],
    );
  });

  test.concurrent("records are exported whole", async () => {
    await spar("export", "first", "--what", "records", "--to", "records");
    const turn = { seat: "writer", spans: [{ kind: "rendered" }, { kind: "sampled" }] };
    const episodes = parseLines(readFileSync(join(folder, "records", "episodes.jsonl"), "utf8"));
    expect(episodes).toMatchObject([{ id: "play/episodes#0", turns: [turn] }, { id: "play/episodes#1" }]);
  });

  test.concurrent("a plan draws what the run of its seed draws", async () => {
    const drawnBy = async (...words: readonly string[]): Promise<string> => {
      const { plan } = JSON.parse(await spar("plan", ...letters, "--json", ...words));
      return plan.lines.find(({ name }: { name: string }) => name === "drawn by the seed").value.toString();
    };
    expect(told).toContain(`drawn   ${await drawnBy("--seed", "3")}\n`);
    expect(told).not.toContain(`drawn   ${await drawnBy()}\n`);
  });

  test.concurrent("what a run says to type next works as it stands", async () => {
    const [, sample = ""] = /next:\n +(.*)\n/u.exec(told) ?? [];
    expect(sample).toMatch(/^(npx )?spar sample first --prompt "ab"$/u);
    expect(await spar("sample", "first", "--prompt", "ab")).toMatch(/^> ab\n/u);
  });

  test.concurrent("a plan is one JSON object", async () => {
    const plan = JSON.parse(await spar("plan", ...letters, "--set", "group.rows=5", "--json"));
    expect(plan).toMatchObject({ recipe: "letters", seed: 1 });
    expect(plan.plan.lines).toContainEqual({ name: "updates", value: 3 });
    expect(plan.options).toContainEqual(
      expect.objectContaining({ name: "group.rows", value: 5, source: "set" }),
    );
  });
});
