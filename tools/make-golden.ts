/**
 * Writes the golden vectors to `protocol/golden/`. Run it after a change of a float64 reference, and
 * read the difference before committing it: `npm run golden`.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { goldenTexts } from "../src/testing/golden/index.ts";

const folder = new URL("../protocol/golden/", import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, text] of goldenTexts()) {
  await writeFile(new URL(name, folder), text);
  process.stdout.write(`protocol/golden/${name}\n`);
}
