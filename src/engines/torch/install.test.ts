/** What is installed is whole or absent, whatever ends the installation. Installers are fakes: real ones take 6 GB. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectCode } from "../../testing/index.ts";
import { fakeInstallers, type FakeInstallers } from "./fixtures/fake-installers.ts";
import { install, planInstallation, type Installation, type InstallOptions } from "./install.ts";
import { installedFolder, torchFolder } from "./python.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "spar-install-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const dataFolder = (): string => join(folder, "data");
const present = (): string[] => readdirSync(torchFolder(dataFolder()));

function optionsWith({ bin }: FakeInstallers, more: Partial<InstallOptions> = {}): InstallOptions {
  const environment = { PATH: `${bin}:/usr/bin:/bin` };
  return { dataFolder: dataFolder(), environment, onProgress: () => undefined, ...more };
}

const installWith = (fake: FakeInstallers, more: Partial<InstallOptions> = {}): Promise<Installation> =>
  install(optionsWith(fake, more));

describe("an installation", () => {
  test.each([
    { tool: "uv", hasUv: true, first: /^uv venv .*part-/u },
    { tool: "pip", hasUv: false, first: /^python3 -m venv .*part-/u },
  ])("by $tool is filled beside its place and takes it", async ({ tool, hasUv, first }) => {
    const fake = fakeInstallers(folder, { hasUv });
    const made = await installWith(fake);
    expect(made).toMatchObject({ tool, folder: installedFolder(dataFolder()), packages: { torch: "2.0" } });
    expect(existsSync(made.python)).toBe(true);
    expect(present()).toEqual(["environment"]);
    expect(fake.calls().some((call) => first.test(call))).toBe(true);
    expect(planInstallation(optionsWith(fake)).isInstalled).toBe(true);
  });

  test("that is there is given, and nothing is called", async () => {
    await installWith(fakeInstallers(folder));
    const fake = fakeInstallers(folder);
    expect(await installWith(fake)).toMatchObject({ tool: "uv" });
    expect(fake.calls()).toEqual([""]);
  });

  test.each(["not json", '{"requirements": "of another version", "packages": {}, "tool": "uv"}'])(
    "with the note %s is made anew",
    async (text) => {
      const { folder: place } = await installWith(fakeInstallers(folder));
      writeFileSync(join(place, "spar-installation.json"), text);
      writeFileSync(join(place, "old"), "");
      const fake = fakeInstallers(folder);
      expect(planInstallation(optionsWith(fake)).isInstalled).toBe(false);
      await installWith(fake);
      expect(present()).toEqual(["environment"]);
      expect(existsSync(join(place, "old"))).toBe(false);
    },
  );

  test("takes the Python that is named", async () => {
    const fake = fakeInstallers(folder);
    await installWith(fake, { python: "/opt/python" });
    expect(fake.calls().find((call) => call.startsWith("uv venv"))).toContain("--python /opt/python ");
  });
});

describe("an installation that fails", () => {
  test.each([
    { broken: "uv venv", hasUv: true },
    { broken: "uv pip install", hasUv: true },
    { broken: "python -c", hasUv: true },
    { broken: "python3 -m venv", hasUv: false },
    { broken: "python -m pip", hasUv: false },
  ])("in $broken leaves nothing, and what was there stays", async ({ broken, hasUv }) => {
    const { folder: place } = await installWith(fakeInstallers(folder));
    writeFileSync(join(place, "spar-installation.json"), "another");
    const error = await expectCode(installWith(fakeInstallers(folder, { hasUv, broken })), "engine-failed");
    expect(error.message).toContain("no space left");
    expect(present()).toEqual(["environment"]);
    expect(existsSync(place)).toBe(true);
  });

  test("for want of a Python that will do says how to get one", async () => {
    const error = await expectCode(
      installWith(fakeInstallers(folder, { hasUv: false, broken: "python3 -c" })),
      "package-missing",
    );
    expect(error.hint).toContain("install uv");
  });

  test("because it was stopped leaves nothing, and ends what it had started", async () => {
    const stop = new AbortController();
    const fake = fakeInstallers(folder, { slow: "uv pip" });
    const running = install(optionsWith(fake), { signal: stop.signal });
    while (!fake.calls().some((call) => call.startsWith("uv pip"))) await sleep(10);
    stop.abort();
    await expectCode(running, "aborted");
    expect(present()).toEqual([]);
  });
});

test("what a killed installation left is removed by the next one, what a living one has is not", async () => {
  const gone = join(torchFolder(dataFolder()), "part-999999999-a");
  const living = `part-${process.ppid}-b`;
  mkdirSync(gone, { recursive: true });
  mkdirSync(join(torchFolder(dataFolder()), living));
  await installWith(fakeInstallers(folder));
  expect(present()).toEqual(["environment", living]);
});
