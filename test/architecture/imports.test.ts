/** Who may import whom. The table is the law; each message says which row was broken and why the row is there. */
import { expect, test } from "vitest";
import {
  at,
  importsOf,
  isTest,
  listFiles,
  listFolders,
  readJson,
  resolveImport,
  type Import,
} from "./tree.ts";

const rows: readonly (readonly string[])[] = [
  ["base"],
  ["records", "contract"],
  ["text", "data", "games", "verifiers", "services"],
  ["players", "rewards", "losses"],
  ["rollouts", "curricula", "store"],
  ["train", "league"],
  ["server", "testing"],
  ["cli"],
];

/** Where the rule is narrower or wider than "every row above". */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  records: ["base", "contract"],
  contract: ["base"],
  games: ["base", "records"],
  "engines/*": ["base", "contract", "records", "text"],
  // The worker is a server of the wire, and the client of the wire is an engine.
  "engines/torch": ["base", "contract", "records", "text", "engines/tinker"],
};

const reasons: Readonly<Record<string, string>> = {
  base: "base is used by everyone, so it can use no one",
  contract: "engines of other people implement it, so it must stand on base alone",
  games:
    "a game is pure rules: no model, no tokens, no clock; that is why a record of it can be played again",
  "engines/*": "engines know no game and no method; that is why any recipe runs on any engine",
  testing: "suites and fakes serve every engine, so they depend on none",
};

const source = listFiles("src").filter((file) => file.endsWith(".ts"));

test("every folder of src stands in the table of rows", () => {
  const known = [...rows.flat(), "engines"];
  expect(
    listFolders("src").filter((folder) => !known.includes(folder)),
    "a new folder needs a row here, in ARCHITECTURE.md and a decision record that says why it is not part of an old one",
  ).toEqual([]);
});

test("a folder imports only the rows above it", () => {
  const broken = source.flatMap((file) => crossings(file).flatMap(judgeRow));
  expect(broken, `imports against the rows of ARCHITECTURE.md:\n${broken.join("\n")}\n`).toEqual([]);
});

test("folders are entered by their index.ts alone", () => {
  const broken = source
    .filter((file) => !isTest(file))
    .flatMap((file) => crossings(file))
    .filter(({ to, path }) => path !== `src/${to}/${to.startsWith("engines/") ? "engine.ts" : "index.ts"}`)
    .map(({ use, path }) =>
      at(use.file, use.line, `imports ${path}: a folder's index.ts is its only public face`),
    );
  expect(broken, broken.join("\n")).toEqual([]);
});

test("engines are loaded by dynamic import, so that nobody pays for one that is not used", () => {
  const broken = source
    .filter((file) => !isTest(file))
    .flatMap((file) => crossings(file))
    .filter(({ to, use }) => to.startsWith("engines/") && !use.isDynamic)
    .map(({ use }) => at(use.file, use.line, `imports ${use.specifier} statically`));
  expect(broken, broken.join("\n")).toEqual([]);
});

test("recipes, examples and benchmarks use the package by its public names", () => {
  const broken = ["recipes", "examples", "bench"]
    .flatMap((folder) => listFiles(folder))
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => importsOf(file).filter((use) => leavesOwnFolder(file, use)))
    .map((use) => at(use.file, use.line, `imports ${use.specifier}: write the public name, as a user would`));
  expect(broken, broken.join("\n")).toEqual([]);
});

test("what is published imports run-time dependencies only", () => {
  const manifest = readJson("package.json") as Record<string, Record<string, string> | undefined>;
  const allowed = Object.keys({ ...manifest["dependencies"], ...manifest["peerDependencies"] });
  const broken = [...source, ...listFiles("recipes").filter((file) => file.endsWith(".ts"))]
    .filter((file) => !isTest(file) && !/^recipes\/[^/]+\/tools\//.test(file))
    .flatMap((file) => importsOf(file))
    .filter(({ specifier }) => !/^(\.|node:|spar\/)/.test(specifier))
    .filter(({ specifier }) => !allowed.includes(packageOf(specifier)))
    .map((use) =>
      at(use.file, use.line, `${packageOf(use.specifier)} is no dependency of the published package`),
    );
  expect(broken, broken.join("\n")).toEqual([]);
});

test("every library folder with an index.ts can be imported by its public name", () => {
  const manifest = readJson("package.json") as { readonly exports: Record<string, unknown> };
  const hidden = new Set(["cli"]);
  const missing = listFolders("src")
    .filter((folder) => source.includes(`src/${folder}/index.ts`) && !hidden.has(folder))
    .filter((folder) => !(`./${folder}` in manifest.exports));
  expect(missing, "add them to exports in package.json").toEqual([]);
});

interface Crossing {
  readonly use: Import;
  readonly from: string;
  readonly to: string;
  readonly path: string;
}

function crossings(file: string): Crossing[] {
  return importsOf(file)
    .filter((use) => use.specifier.startsWith("."))
    .map((use) => ({ use, path: resolveImport(file, use.specifier) }))
    .map(({ use, path }) => ({ use, path, from: folderOf(file), to: folderOf(path) }))
    .filter(({ from, to }) => from !== to);
}

function judgeRow({ use, from, to, path }: Crossing): string[] {
  if (!path.startsWith("src/")) {
    // The list of recipes is the folder itself, which only the command line opens.
    return isTest(use.file) || from === "cli" ? [] : [at(use.file, use.line, `imports ${path}, outside src`)];
  }
  const allowed = isTest(use.file) ? [...mayImport(from), "testing"] : mayImport(from);
  if (allowed.includes(to) || (to.startsWith("engines/") && allowed.includes("engines/*"))) return [];
  const key = from.startsWith("engines/") ? "engines/*" : from;
  return [
    at(use.file, use.line, `${from} may import ${allowed.join(", ")}, not ${to}. ${reasons[key] ?? ""}`),
  ];
}

function mayImport(folder: string): readonly string[] {
  if (folder.startsWith("engines/")) return exceptions[folder] ?? exceptions["engines/*"] ?? [];
  if (folder === "cli") return [...rows.flat(), "engines/*"];
  const row = rows.findIndex((members) => members.includes(folder));
  return exceptions[folder] ?? rows.slice(0, Math.max(row, 0)).flat();
}

function folderOf(path: string): string {
  const [, first = "", second = ""] = path.split("/");
  return first === "engines" ? `${first}/${second}` : first;
}

/** Recipes end at their own folder; an example or a benchmark at its tree. */
function leavesOwnFolder(file: string, use: Import): boolean {
  if (!use.specifier.startsWith(".")) return false;
  const own = file.startsWith("recipes/")
    ? file.split("/").slice(0, 2).join("/")
    : (file.split("/")[0] ?? "");
  return !resolveImport(file, use.specifier).startsWith(`${own}/`);
}

function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}
