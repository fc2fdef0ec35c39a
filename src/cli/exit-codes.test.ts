import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { exitCodes } from "./exit-codes.ts";

test("docs/cli.md lists the exit codes as they are", () => {
  const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
  const listed = [...page.matchAll(/^\| (\d+) \| ([a-z-]+) \| (.+) \|$/gmu)].map(
    ([, code, name, meaning]) => ({
      code: Number(code),
      name,
      meaning,
    }),
  );
  expect(listed).toEqual(Object.values(exitCodes));
});
