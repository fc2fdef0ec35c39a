import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serverSettings } from "./server-options.ts";

test("address and key come from options, else from the environment, and empty ones are none", () => {
  const folder = mkdtempSync(join(tmpdir(), "spar-key-"));
  try {
    writeFileSync(join(folder, "key"), "tml-from-file\n");
    const environment = { SPAR_TINKER_URL: "http://env:1", SPAR_TINKER_KEY: "tml-env" };
    const shell = { environment, workingFolder: folder };
    expect(serverSettings({}, shell)).toEqual({ url: "http://env:1", key: "tml-env" });
    expect(serverSettings({ url: "http://typed:2", keyFile: "key" }, shell)).toEqual({
      url: "http://typed:2",
      key: "tml-from-file",
    });
    expect(serverSettings({}, { environment: { SPAR_TINKER_URL: "" }, workingFolder: folder })).toEqual({});
    expect(() => serverSettings({ keyFile: "missing" }, shell)).toThrow(/missing cannot be read/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
