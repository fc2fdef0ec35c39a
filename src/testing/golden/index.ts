/**
 * Golden vectors: inputs and outputs of the float64 references, the same for every language. Written
 * to `protocol/golden/*.json` by `tools/make-golden.ts`; TypeScript asks these functions instead.
 */
import { advantageVectors, klVectors, pairVectors } from "./method-vectors.ts";
import { lossVectors } from "./loss-vectors.ts";
import { optimizerVectors } from "./optimizer-vectors.ts";
import type { GoldenFile } from "./vector-file.ts";

export { advantageVectors, klVectors, lossVectors, optimizerVectors, pairVectors };
export type { GoldenFile, GoldenVector } from "./vector-file.ts";

/** Every file by its name, as text that ends with a newline. */
export function goldenTexts(): ReadonlyMap<string, string> {
  const files: Readonly<Record<string, GoldenFile>> = {
    "advantages.json": advantageVectors(),
    "kl.json": klVectors(),
    "losses.json": lossVectors(),
    "optimizers.json": optimizerVectors(),
    "pair-losses.json": pairVectors(),
  };
  return new Map(Object.entries(files).map(([name, file]) => [name, textOf(file)]));
}

/** One case per line, so that a change shows as the lines of the cases that changed. */
function textOf(file: GoldenFile): string {
  const cases = file.cases.map((vector) => `    ${JSON.stringify(vector)}`).join(",\n");
  const head = `  "description": ${JSON.stringify(file.description)},\n  "tolerance": ${JSON.stringify(file.tolerance)},`;
  return `{\n${head}\n  "cases": [\n${cases}\n  ]\n}\n`;
}
