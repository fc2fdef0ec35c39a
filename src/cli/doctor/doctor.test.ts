import { describe, expect, test } from "vitest";
import { findPackageFolder } from "../discovery/package-folder.ts";
import { checkMachine, checkNode } from "./machine.ts";
import { checkPackage, readManifest } from "./packages.ts";

const place = findPackageFolder(import.meta.url);

describe("spar doctor", () => {
  test("a Node that is too old is missing, with what to install", () => {
    expect(checkNode({ nodeVersion: "20.11.0", neededNode: ">=24.15.0" })).toMatchObject({
      status: "missing",
      fix: "install Node 24.15.0 or later from https://nodejs.org",
    });
    expect(checkNode({ nodeVersion: "24.9.1", neededNode: ">=24.15.0" }).status).toBe("missing");
    expect(checkNode({ nodeVersion: "26.0.0", neededNode: ">=24.0.0" })).toMatchObject({
      status: "ok",
      fix: null,
    });
  });

  test("an optional package that is not there comes with the command that installs it", () => {
    expect(checkPackage(place, "no-such-package-of-anyone", "^1.2.0")).toMatchObject({
      status: "optional",
      fix: 'npm install no-such-package-of-anyone@"^1.2.0"',
    });
    expect(checkPackage(place, "zod", "^4.0.0")).toMatchObject({ status: "ok", fix: null });
  });

  test("the machine that runs the tests has what is required", () => {
    const checks = checkMachine({
      nodeVersion: process.versions.node,
      neededNode: readManifest(place).engines.node,
      runsFolder: "/nowhere/at/all",
    });
    expect(checks.filter(({ status }) => status === "missing")).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual(["Node", "cores", "memory", "disk", "WebAssembly"]);
  });
});
