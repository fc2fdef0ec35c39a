import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { quotedWord, shellWord } from "./shell-word.ts";

test("plain names stay bare, texts are quoted", () => {
  expect(shellWord("spin-nano-1")).toBe("spin-nano-1");
  expect(shellWord("./my runs/a")).toBe('"./my runs/a"');
  expect(shellWord("$HOME")).toBe("'$HOME'");
  expect(quotedWord("12+4=")).toBe('"12+4="');
});

test.skipIf(process.platform === "win32")("a shell reads back what was shown", () => {
  const words = fc.array(
    fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\0")),
    {
      minLength: 20,
      maxLength: 20,
    },
  );
  fc.assert(
    fc.property(words, (texts) => {
      const shown = texts.flatMap((text) => [shellWord(text), quotedWord(text)]).join(" ");
      const { stdout } = spawnSync("sh", ["-c", String.raw`printf '%s\0' ${shown}`], { encoding: "utf8" });
      expect(stdout.split("\0").slice(0, -1)).toEqual(texts.flatMap((text) => [text, text]));
    }),
    { numRuns: 20 },
  );
});
