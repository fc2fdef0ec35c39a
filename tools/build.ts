/**
 * Makes `dist/`: JavaScript, declarations and source maps of `src` and `recipes`, and next to the compiled modules
 * the files that they read: of recipes all, of `src` the Python. Run by `npm run build` and before packing. Knows nothing of what is in a recipe.
 */
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const notCopied = new Set(["results", "fixtures", "tools"]);

rmSync(join(root, "dist"), { recursive: true, force: true });
const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
const compiled = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

cpSync(join(root, "recipes"), join(root, "dist", "recipes"), {
  recursive: true,
  filter: (source) => {
    if (statSync(source).isDirectory()) return !notCopied.has(source.split(/[/\\]/).at(-1) ?? "");
    return !source.endsWith(".ts");
  },
});
for (const file of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }))
  if (file.endsWith(".py")) cpSync(join(root, "src", file), join(root, "dist", "src", file));
console.log(`dist/ holds ${readdirSync(join(root, "dist"), { recursive: true }).length} entries`);
