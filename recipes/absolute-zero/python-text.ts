/**
 * What can be told of a Python program from its text alone: definitions, imports, names. Strings and comments are
 * blanked first, so that words in them are no code. Executes nothing.
 */

/** The same text with the content of strings and comments as spaces; line breaks stay. */
export function maskText(program: string): string {
  const pieces: string[] = [];
  let place = 0;
  const opening = /#|"""|'''|"|'/g;
  for (;;) {
    opening.lastIndex = place;
    const found = opening.exec(program);
    if (found === null) return pieces.join("") + program.slice(place);
    const [mark] = found;
    pieces.push(program.slice(place, found.index));
    const end = mark === "#" ? lineEnd(program, found.index) : stringEnd(program, found.index, mark);
    pieces.push(program.slice(found.index, end).replaceAll(/[^\n]/g, " "));
    place = end;
  }
}

function lineEnd(program: string, from: number): number {
  const end = program.indexOf("\n", from);
  return end < 0 ? program.length : end;
}

function stringEnd(program: string, start: number, quote: string): number {
  for (let place = start + quote.length; place < program.length; place++) {
    const character = program[place];
    if (character === "\\") place++;
    else if (program.startsWith(quote, place)) return place + quote.length;
    // A plain string ends with its line at the latest.
    else if (character === "\n" && quote.length === 1) return place;
  }
  return program.length;
}

/** Names of functions in the order of their definitions, nested ones and methods included. */
export function definedFunctions(program: string): string[] {
  return [...maskText(program).matchAll(/(?<![\w.])def[ \t]+([^\W\d]\w*)[ \t]*[([]/gu)].map(
    (found) => found[1] ?? "",
  );
}

/** The program with a name replaced wherever it is code and no attribute. */
export function renameFunction(program: string, from: string, to: string): string {
  if (from === to) return program;
  const name = new RegExp(`(?<![\\w.])${from}(?!\\w)`, "gu");
  const pieces: string[] = [];
  let place = 0;
  for (const found of maskText(program).matchAll(name)) {
    pieces.push(program.slice(place, found.index), to);
    place = found.index + from.length;
  }
  return pieces.join("") + program.slice(place);
}

export interface Import {
  /** Dotted: `os.path` for `import os.path` and for `from os import path`. */
  readonly name: string;
  /** What the program calls it. */
  readonly alias: string;
}

/** All that the import statements of a program name, wherever they stand. */
export function importsOf(program: string): Import[] {
  const code = maskText(program).replaceAll(/\\\r?\n/g, "  ");
  const statements =
    /(?<![\w.])(?:from[ \t]+([\w.]+(?:[ \t]*\.[ \t]*[\w.]+)*)[ \t]+)?import[ \t]*(\([^)]*\)|[^\n;]*)/gu;
  return [...code.matchAll(statements)].flatMap(([, module, list = ""]) => {
    const names = list.replaceAll(/[()]/g, " ").split(",").map(readName);
    return names.flatMap(({ name, alias }): Import[] => {
      if (name === "") return [];
      if (module === undefined) return [{ name, alias: alias ?? name.split(".")[0] ?? name }];
      return [{ name: `${module.replaceAll(/\s/g, "")}.${name}`, alias: alias ?? name }];
    });
  });
}

function readName(text: string): { readonly name: string; readonly alias: string | null } {
  const [name = "", keyword, alias] = text
    .replaceAll(/\s*\.\s*/g, ".")
    .trim()
    .split(/\s+/);
  return { name, alias: keyword === "as" && alias !== undefined ? alias : null };
}

/** The first listed module or attribute that the program uses, null where it uses none. */
export function bannedUse(program: string, banned: readonly string[]): string | null {
  const imports = importsOf(program);
  for (const { name } of imports) {
    // The whole of a package is more than the part that is listed, which has to be used to count.
    const entry = banned.find((one) => name === one || name.startsWith(`${one}.`));
    if (entry !== undefined) return entry;
  }
  const code = maskText(program);
  if (/(?<![\w.])__import__(?!\w)/.test(code)) return "__import__";
  for (const entry of banned.filter((one) => one.includes("."))) {
    const [module = "", ...attributes] = entry.split(".");
    for (const { alias } of imports.filter(({ name }) => name === module)) {
      const use = [alias, ...attributes].map(escaped).join(String.raw`\s*\.\s*`);
      if (new RegExp(`(?<![\\w.])${use}(?!\\w)`).test(code)) return entry;
    }
  }
  return null;
}

function escaped(text: string): string {
  return text.replaceAll(/[^\w]/g, String.raw`\$&`);
}
