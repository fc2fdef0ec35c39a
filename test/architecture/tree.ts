/**
 * The repository as text: which files there are and what they import. Used by the tests beside it, which know the
 * laws; this file knows none. Plain text parsing, because the interface of TypeScript 7's compiler is still marked
 * unstable.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

export const root: string = resolve(import.meta.dirname, "..", "..");

const skippedFolders = new Set(["node_modules", "dist", "runs", ".git", ".vitest", "coverage", ".venv"]);

/** Paths of all files that belong to the repository, relative to its root, with forward slashes. */
export function listFiles(folder = "."): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (skippedFolders.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...listFiles(path));
    else if (entry.isFile()) found.push(path.split(sep).join("/"));
  }
  return found.toSorted();
}

/** Names of the folders in a folder that hold files. */
export function listFolders(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !skippedFolders.has(entry.name))
    .filter((entry) => listFiles(join(folder, entry.name)).length > 0)
    .map((entry) => entry.name)
    .toSorted();
}

export function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export function readJson(path: string): unknown {
  return JSON.parse(read(path));
}

export function countLines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

/** The source with comments blanked, line numbers kept. Good enough for code that no one tries to hide. */
export function withoutComments(source: string): string {
  const comments = /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[^]*?\*\/|\/\/[^\n]*/g;
  return source.replace(comments, (match, text: string | undefined) => text ?? match.replace(/[^\n]/g, " "));
}

export interface Import {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  readonly isDynamic: boolean;
}

/** Every import and re-export of a file, static and dynamic. */
export function importsOf(file: string): Import[] {
  return parseImports(read(file)).map((found) => ({ file, ...found }));
}

export function parseImports(text: string): Omit<Import, "file">[] {
  const source = withoutComments(text);
  const pattern =
    /\b(?:import|export)\b[^;"'()=]*?\bfrom\s*["']([^"'\n]+)["']|(?:^|\n)import\s*["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']/g;
  return [...source.matchAll(pattern)].map((match) => ({
    line: countLines(source.slice(0, match.index + match[0].length)),
    specifier: match[1] ?? match[2] ?? match[3] ?? "",
    isDynamic: match[3] !== undefined,
  }));
}

/** Where a relative import leads, as a path from the root. */
export function resolveImport(file: string, specifier: string): string {
  return relative(root, resolve(root, dirname(file), specifier))
    .split(sep)
    .join("/");
}

export function isCode(path: string): boolean {
  return /\.(ts|cjs|mjs|js)$/.test(path);
}

export function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.startsWith("test/") || path.includes("/fixtures/");
}

/** `path:line  text` for messages. */
export function at(file: string, line: number, text: string): string {
  return `${file}:${line}  ${text}`;
}

/** Finds every match of a pattern in the code of a file. */
export function findInCode(
  file: string,
  pattern: RegExp,
): { readonly line: number; readonly text: string }[] {
  return withoutComments(read(file))
    .split("\n")
    .flatMap((text, index) => (pattern.test(text) ? [{ line: index + 1, text: text.trim() }] : []));
}
