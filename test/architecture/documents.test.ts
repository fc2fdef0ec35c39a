/** What the documentation says about the repository is true: links, lists of folders, tables, decision records. */
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { anchorsOf, headingsOf, linksOf } from "./markdown.ts";
import { listFiles, listFolders, read, root } from "./tree.ts";

const documents = listFiles().filter((file) => file.endsWith(".md"));

test("every relative link leads to a file, and every anchor to a heading", () => {
  const broken = documents.flatMap((document) =>
    linksOf(read(document)).flatMap(({ line, target }) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? document : normalize(join(dirname(document), decodeURIComponent(path)));
      if (file.startsWith("..") || !existsSync(join(root, file)))
        return [`${document}:${line}  ${target}: no such file`];
      if (anchor === undefined || !file.endsWith(".md") || anchorsOf(read(file)).has(anchor)) return [];
      return [`${document}:${line}  ${target}: no such heading`];
    }),
  );
  expect(broken, broken.join("\n")).toEqual([]);
});

test("ARCHITECTURE.md describes exactly the folders that there are", () => {
  const described = [...read("ARCHITECTURE.md").matchAll(/^- \*\*`([^`]+)`\*\*/gm)]
    .map((match) => match[1] ?? "")
    .toSorted();
  const source = listFolders("src").flatMap((folder) =>
    folder === "engines"
      ? listFolders("src/engines").map((engine) => `src/engines/${engine}`)
      : [`src/${folder}`],
  );
  const top = listFolders(".").filter((folder) => !folder.startsWith(".") && folder !== "src");
  expect(described, "its code map has one entry per folder: a reader trusts the map").toEqual(
    [...source, ...top].toSorted(),
  );
});

test("every decision record has its parts, and their numbers have no gap", () => {
  const records = listFiles("docs/decisions").filter((file) => /\/\d{4}-[a-z0-9-]+\.md$/.test(file));
  const needed = ["Context", "Decision", "Consequences", "Alternatives"];
  const broken = records.flatMap((record) => {
    const text = read(record);
    const missing = needed.filter((title) => !headingsOf(text).some((heading) => heading.startsWith(title)));
    const problems = missing.map((title) => `${record} lacks the section ${title}`);
    if (!/^(Status: )?(proposed|accepted|superseded by \[.+\]\(.+\))/im.test(text)) {
      problems.push(`${record} lacks the line "Status: accepted", proposed or superseded by a link`);
    }
    return problems;
  });
  expect(broken, broken.join("\n")).toEqual([]);
  const numbers = records.map((record) => Number(record.split("/").at(-1)?.slice(0, 4)));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test("every recipe but the teaching one has a README with a table of results", () => {
  const broken = listFolders("recipes")
    .filter((recipe) => recipe !== "from-scratch")
    .filter((recipe) => {
      const path = `recipes/${recipe}/README.md`;
      if (!existsSync(join(root, path))) return true;
      const results = read(path)
        .split(/^## /m)
        .find((section) => /^results?\b/i.test(section));
      return results === undefined || !/^\|.*\|$/m.test(results);
    });
  expect(broken, "a method without its measured result, and the way it fails, is not done").toEqual([]);
});

test("CONTRIBUTING.md lists the jobs of continuous integration that are run", () => {
  const run = [...read(".ci/run").matchAll(/^job (\S+)/gm)].map((match) => match[1]);
  const section = read("CONTRIBUTING.md").split("## Continuous integration")[1] ?? "";
  const listed = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
  expect(run.length).toBeGreaterThan(0);
  expect(listed).toEqual(run);
});

test("no file names a folder of somebody's machine or a host of a registry", () => {
  // Put together here, so that this file passes its own test.
  const machine = new RegExp(`(?<![\\w.~-])/(${["work", "tmp", "root", "home"].join("|")})/`);
  const registry = new RegExp(["registry\\.npmjs", "pypi\\.org/simple", "files\\.pythonhosted"].join("|"));
  const isText = (file: string): boolean =>
    /\.(ts|cjs|json|md|yml|yaml|py|toml|txt|sh|npmrc)$|^\.ci\/run$/.test(file);
  const broken = [...listFiles(), ".npmrc"].filter(isText).flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((text, index) =>
        machine.test(text) || registry.test(text) ? [`${file}:${index + 1}  ${text.trim()}`] : [],
      ),
  );
  expect(broken, broken.join("\n")).toEqual([]);
});
