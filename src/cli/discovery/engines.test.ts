import { describe, expect, test } from "vitest";
import { isPlanned } from "./choose-engine.ts";
import { capabilitiesOf, findEngine, listEngines } from "./engines.ts";
import { findPackageFolder } from "./package-folder.ts";

const place = findPackageFolder(import.meta.url);
const find = (typed: string): ReturnType<typeof findEngine> =>
  findEngine({ typed, place, workingFolder: "." });

describe("engines", () => {
  test("are listed with the executors that a user may choose, the usual one by the engine's name alone", async () => {
    const ids = (await listEngines(place)).map(({ id }) => id);
    expect(ids).toContain("embedded");
    expect(ids).toContain("embedded:native");
    expect(ids).not.toContain("embedded:wasm");
  });

  test("whatever is listed is found by the id that is listed", async () => {
    for (const listed of await listEngines(place))
      expect(await find(listed.id)).toMatchObject({ id: listed.id });
    await expect(find("embedded:natve")).rejects.toMatchObject({
      code: "unknown-engine",
      hint: expect.stringContaining('did you mean "embedded:native"?'),
    });
  });

  test("what an executor can do is known without starting it", async () => {
    // Starting it would fail where its package is not installed.
    const capabilities = await capabilitiesOf(await find("embedded:native"));
    expect(capabilities.has("optimizer:rmsprop")).toBe(true);
    expect(capabilities.has("batch-invariant")).toBe(false);
    expect((await capabilitiesOf(await find("embedded"))).has("batch-invariant")).toBe(true);
  });

  test("those that a preset names and nobody has are planned", () => {
    const presets = {
      nano: { engine: "embedded" },
      native: { engine: "embedded:native" },
      paper: { engine: "later" },
    };
    expect(isPlanned("later", presets, place)).toBe(true);
    for (const engine of ["embedded", "embedded:native", "unheard-of", "./mine.ts"])
      expect(isPlanned(engine, presets, place)).toBe(false);
  });
});
