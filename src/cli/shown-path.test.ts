import { join, sep } from "node:path";
import { describe, expect, test } from "vitest";
import { shownPath, shownPaths } from "./shown-path.ts";

const here = join(sep, "home", "ann", "work");

describe("a path for people", () => {
  test("is relative below the folder that they are in, whole elsewhere", () => {
    expect(shownPath(join(here, "runs", "one"), here)).toBe(join("runs", "one"));
    for (const path of [here, here + sep, join(sep, "data", "one"), `${here}shop`])
      expect(shownPath(path, here)).toBe(path);
    expect(shownPath(join(sep, "data"), sep)).toBe("data");
  });

  test("is found in a message, at the start of a word only", () => {
    const path = join(here, "runs", "one");
    expect(shownPaths(`${path} exists, "${path}" too (${path})`, here)).toBe(
      `runs${sep}one exists, "runs${sep}one" too (runs${sep}one)`,
    );
    for (const message of [`${here} is a folder`, `${here}${sep} is a folder`, `/mnt${path} is elsewhere`])
      expect(shownPaths(message, here)).toBe(message);
  });
});
