/**
 * Checks the package as a user gets it: packs it, installs the tarball in an empty folder, and there runs the
 * command, compiles a program against it, runs the examples, and measures what was installed. Run by
 * `npm run check:package`. Knows nothing of what the library does.
 */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "..");
const installLimitMegabytes = 150;
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, unknown>>;
};

/** Folders of this check: the tarball, the user's project, a bin folder with the Node to use, the oldest Node. */
const scratch = mkdtempSync(join(tmpdir(), "spar-package-"));
const user = join(scratch, "user");
const path = process.env["PATH"] ?? "";

function main(): void {
  const tarball = step("npm pack", pack);
  step("install in an empty folder", () => install(tarball));
  step(`installed size is under ${installLimitMegabytes} MB`, checkSize);
  step("publint", () => own("publint", ["run", tarball, "--strict"]));
  step("are the types wrong", () =>
    own("attw", [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"]),
  );
  step("a program type-checks against it", checkTypes);
  const newest = useNode("newest", process.execPath);
  step(`command, Node ${process.versions.node}`, () => checkCommand(newest));
  step(`examples, Node ${process.versions.node}`, () => runExamples(newest));
  const floor = manifest.engines.node.replace(/^\D+/, "");
  const oldest = step(`fetch Node ${floor}, the floor of engines`, () => fetchNode(floor));
  step(`command, Node ${floor}`, () => checkCommand(oldest));
  step(`examples, Node ${floor}`, () => runExamples(oldest));
}

function pack(): string {
  mkdirSync(join(scratch, "tarball"));
  run("npm", ["pack", "--pack-destination", join(scratch, "tarball")], { cwd: root });
  const [name = ""] = readdirSync(join(scratch, "tarball"));
  return join(scratch, "tarball", name);
}

function install(tarball: string): void {
  mkdirSync(user);
  writeFileSync(join(user, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  run("npm", ["install", "--no-audit", "--no-fund", tarball], { cwd: user });
}

function checkSize(): void {
  const megabytes = sizeBytes(join(user, "node_modules")) / 1e6;
  const largest = readdirSync(join(user, "node_modules"))
    .map((name) => ({ name, megabytes: sizeBytes(join(user, "node_modules", name)) / 1e6 }))
    .toSorted((a, b) => b.megabytes - a.megabytes)
    .slice(0, 5)
    .map((entry) => `${entry.name} ${entry.megabytes.toFixed(1)}`);
  console.log(`  ${megabytes.toFixed(1)} MB installed; largest: ${largest.join(", ")}`);
  if (megabytes > installLimitMegabytes) throw new Error(`${megabytes.toFixed(1)} MB are installed`);
}

/** Every public name is imported; `skipLibCheck` stays off, so that our own declarations are checked too. */
function checkTypes(): void {
  const names = Object.keys(manifest.exports).filter(
    (name) => !name.includes("*") && !name.endsWith(".json"),
  );
  const recipes = readdirSync(join(root, "dist", "recipes"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "from-scratch")
    .map((entry) => `./recipes/${entry.name}`);
  const games = readdirSync(join(root, "dist", "src", "games"), { withFileTypes: true })
    // Folders without a game, such as the analysis of trees, are no public names.
    .filter((entry) => existsSync(join(entry.parentPath, entry.name, "game.js")))
    .map((entry) => `./games/${entry.name}`);
  const imports = [...names, "./engines/embedded", ...games, ...recipes].map(
    (name, index) =>
      `import * as part${index} from "spar${name.slice(1)}";\nexport const keys${index}: number = Object.keys(part${index}).length;`,
  );
  writeFileSync(join(user, "consumer.ts"), `${imports.join("\n")}\n`);
  const options = {
    strict: true,
    module: "nodenext",
    target: "es2024",
    noEmit: true,
    types: ["node"],
    exactOptionalPropertyTypes: true,
  };
  writeFileSync(
    join(user, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: options,
      files: ["consumer.ts", ...copyExamples(), ...copySnippets()],
    }),
  );
  run("npm", ["install", "--no-audit", "--no-fund", "--save-dev", "@types/node@24", "vitest@5"], {
    cwd: user,
  });
  own("tsc", ["-p", user]);
}

function checkCommand(nodeFolder: string): void {
  const version = spar(nodeFolder, ["--version"]).stdout.trim();
  if (version !== manifest.version)
    throw new Error(`spar --version said ${version}, not ${manifest.version}`);
  const list = spar(nodeFolder, ["list"]).stdout;
  for (const id of ["spin", "kuhn-poker"]) {
    if (!list.includes(id)) throw new Error(`spar list does not name ${id}:\n${list}`);
  }
  spar(nodeFolder, ["plan", "spin", "--set", "iterationCount=3"]);
  spar(nodeFolder, ["plan", "spin", "--preset", "paper"]);
}

/** Runs each example as its own first comment says, in the order of their names. */
function runExamples(nodeFolder: string): void {
  for (const example of copyExamples()) {
    const command = / \* Run: (.+)$/m.exec(readFileSync(join(user, example), "utf8"))?.[1];
    if (command === undefined)
      throw new Error(`${example} does not say how to run it: a line "Run: node ${example}"`);
    const startedMs = performance.now();
    run("sh", ["-c", command], { cwd: user, nodeFolder });
    console.log(`  ${command}  ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }
}

/** Puts the examples where a user would write them, and names them. */
function copyExamples(): string[] {
  const examples = readdirSync(join(root, "examples"))
    .filter((file) => file.endsWith(".ts"))
    .toSorted();
  for (const example of examples) copyFileSync(join(root, "examples", example), join(user, example));
  return examples;
}

/** The TypeScript of the README, one file per block. */
function copySnippets(): string[] {
  const blocks = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/^```ts\n([^]*?)^```/gm)];
  return blocks.map((block, index) => {
    writeFileSync(join(user, `readme-${index}.ts`), block[1] ?? "");
    return `readme-${index}.ts`;
  });
}

function spar(nodeFolder: string, words: readonly string[]): SpawnSyncReturns<string> {
  return run(join(user, "node_modules", ".bin", "spar"), words, { cwd: user, nodeFolder });
}

/** A tool of this repository. */
function own(tool: string, words: readonly string[]): void {
  run(join(root, "node_modules", ".bin", tool), words, { cwd: user });
}

/** A folder that holds one Node and nothing else, to stand first in PATH. */
function useNode(name: string, executable: string): string {
  const folder = join(scratch, `bin-${name}`);
  mkdirSync(folder);
  symlinkSync(executable, join(folder, "node"));
  return folder;
}

function fetchNode(version: string): string {
  const folder = join(scratch, "node");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, dependencies: { node: version }, allowScripts: { node: true } }),
  );
  run("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder });
  return useNode("oldest", join(folder, "node_modules", "node", "bin", "node"));
}

interface RunOptions {
  readonly cwd: string;
  readonly nodeFolder?: string;
}

/** Runs a program in an environment without the settings that `npm run` leaves behind; its failure ends the check. */
function run(program: string, words: readonly string[], options: RunOptions): SpawnSyncReturns<string> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const folders = path.split(delimiter).filter((folder) => !folder.includes("node_modules"));
  const node = options.nodeFolder ?? join(process.execPath, "..");
  const env = { ...Object.fromEntries(inherited), PATH: [node, ...folders].join(delimiter), NO_COLOR: "1" };
  const result = spawnSync(program, words, { cwd: options.cwd, env, encoding: "utf8", timeout: 300_000 });
  if (result.status === 0) return result;
  const said = `${result.stdout}\n${result.stderr}`.trim();
  throw new Error(`${program} ${words.join(" ")} ended with ${result.status ?? result.signal}\n${said}`, {
    cause: result.error,
  });
}

function step<T>(title: string, body: () => T): T {
  const startedMs = performance.now();
  try {
    const result = body();
    console.log(`ok    ${title} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
    return result;
  } catch (thrown) {
    console.log(`FAIL  ${title}`);
    throw thrown;
  }
}

function sizeBytes(folder: string): number {
  const status = lstatSync(folder);
  if (!status.isDirectory()) return status.size;
  return readdirSync(folder).reduce((sum, name) => sum + sizeBytes(join(folder, name)), 0);
}

try {
  main();
  console.log("the package is good");
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
