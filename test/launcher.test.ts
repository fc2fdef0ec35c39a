/**
 * The command's first steps, `bin/spar.cjs`, in copies of a clone and of an installed package: which Node runs what,
 * and what a Node that is too old says. An old Node is played by this one, told to give an old version.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const scratch = mkdtempSync(join(tmpdir(), "spar-launcher-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const oldNode = join(scratch, "old-node.cjs");
writeFileSync(
  oldNode,
  'const versions = { ...process.versions, node: "24.9.1" };\n' +
    'Object.defineProperty(process, "versions", { value: versions });\ndelete process.execve;\n',
);

/** Says what it got, and ends as it was told. */
const program = `
const [what] = process.argv.slice(2);
const report = () => console.log(JSON.stringify({ words: process.argv.slice(2), flags: process.execArgv }));
if (what === "wait") {
  process.on("SIGTERM", () => { console.log("told to end"); process.exit(143); });
  setInterval(() => {}, 1000);
  report();
} else if (what === "die") {
  process.kill(process.pid, "SIGKILL");
} else {
  report();
  process.exitCode = 7;
}
`;

function makeCopy(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(scratch, name);
  cpSync(join(import.meta.dirname, "..", "bin"), join(folder, "bin"), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return join(folder, "bin", "spar.cjs");
}

const manifest = '{ "name": "spar", "type": "module", "engines": { "node": ">=24.15.0" } }';
const bare = makeCopy("bare", {
  "package.json": manifest,
  "tsconfig.json": "{}",
  "src/cli/main.ts": program,
});
const clone = makeCopy("clone", {
  "package.json": manifest,
  "tsconfig.json": "{}",
  "src/cli/main.ts": program,
});
mkdirSync(join(clone, "..", "..", "node_modules", "node", "bin"), { recursive: true });
symlinkSync(process.execPath, join(clone, "..", "..", "node_modules", "node", "bin", "node"));
const installed = makeCopy("user/node_modules/spar", {
  "package.json": manifest,
  "dist/src/cli/main.js": program,
});

function run(
  launcher: string,
  words: readonly string[],
  flags: readonly string[] = [],
): ReturnType<typeof spawnSync> {
  return spawnSync(process.execPath, [...flags, launcher, ...words], { encoding: "utf8", timeout: 15_000 });
}

test("a clone runs its sources, with the words and the exit code passed on", () => {
  const result = run(clone, ["list", "two words"]);
  expect(JSON.parse(String(result.stdout))).toEqual({
    words: ["list", "two words"],
    flags: ["--conditions=source"],
  });
  expect(result.status).toBe(7);
});

test("a clone whose Node is too old uses the repository's own", () => {
  const result = run(clone, ["list"], ["--require", oldNode]);
  expect(JSON.parse(String(result.stdout))).toMatchObject({ words: ["list"] });
  expect(result.status).toBe(7);
});

test("an installed package runs what was built, in the same process", () => {
  const result = run(installed, ["list"]);
  expect(JSON.parse(String(result.stdout))).toEqual({ words: ["list"], flags: [] });
  expect(result.status).toBe(7);
});

test.each([
  ["a clone without it", bare, "npm install"],
  ["an installed package", installed, "install it from nodejs.org"],
])("a Node that is too old is told so in one line by %s", (_place, launcher, advice) => {
  const result = run(launcher, ["list"], ["--require", oldNode]);
  expect(result.stdout).toBe("");
  expect(String(result.stderr)).toMatch(
    /^spar: spar needs Node 24\.15 or later, and this is Node 24\.9\.1: .*\n$/,
  );
  expect(result.stderr).toContain(advice);
  expect(result.status).toBe(4);
});

test.each([[[]], [["--require", oldNode]]])(
  "signals reach the command, and its end is ours (flags %j)",
  async (flags) => {
    const child = spawn(process.execPath, [...flags, clone, "wait"], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (said === "") child.kill("SIGTERM");
      said += chunk.toString();
    });
    const [code] = (await once(child, "close")) as [number | null];
    expect(said).toContain("told to end");
    expect(code).toBe(143);
  },
);

test("a command that a signal ended ends us with the same signal", () => {
  expect(run(clone, ["die"], ["--require", oldNode]).signal).toBe("SIGKILL");
});
