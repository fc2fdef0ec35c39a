/** `--engine tinker` as a user has it: a server somewhere, an address, a key that stays out of everything. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WireServer } from "../../src/engines/tinker/fixtures/wire-server.ts";
import { runCommand } from "../fixtures/cli/spawn-command.ts";

const key = "tml-a-key-for-nobody-else";
const recipe = fileURLToPath(new URL("../fixtures/cli/recipe.ts", import.meta.url));
const example = fileURLToPath(new URL("../../examples/fine-tune-on-a-server.ts", import.meta.url));
const server = new WireServer({ key });
let folder = "";
let environment: Record<string, string> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "spar-server-"));
  environment = { SPAR_TINKER_URL: await server.start(), SPAR_TINKER_KEY: key };
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});

describe("the engine tinker on the command line", { timeout: 60_000 }, () => {
  test("runs a recipe on a server, which is then resumed and sampled; the key is nowhere", async () => {
    const ran = await runCommand(["run", recipe, "--engine", "tinker", "--name", "served"], {
      workingFolder: folder,
      environment,
    });
    expect([ran.errors, ran.code]).toEqual([expect.not.stringContaining("error"), 0]);
    expect(server.applied.filter((one) => one.startsWith("optim_step"))).toHaveLength(3);
    const again = await runCommand(["resume", "served"], { workingFolder: folder, environment });
    expect(again.code).toBe(0);
    for (const text of [ran.output, ran.errors, again.output, ...filesBelow(folder)])
      expect(text).not.toContain(key);
  });

  test("says what it needs without an address, and what is wrong with a key", async () => {
    const lost = await runCommand(["run", recipe, "--engine", "tinker"], { workingFolder: folder });
    expect(lost.code).not.toBe(0);
    expect(lost.errors).toContain("--url");
    const refused = await runCommand(["run", recipe, "--engine", "tinker"], {
      workingFolder: folder,
      environment: { ...environment, SPAR_TINKER_KEY: "tml-wrong" },
    });
    expect(refused.code).not.toBe(0);
    expect(refused.errors).toMatch(/401/);
    expect(refused.errors).not.toContain("tml-wrong");
  });

  test("the example fine-tunes and samples with the client alone", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=source", example], {
      env: { ...process.env, ...environment },
    });
    expect(stdout).toMatch(/step 30: loss \d+\.\d+ nats\nafter 3 1: (\d+ ?){6}\n$/);
  });
});

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, "latin1"));
}
