import { describe, expect, test } from "vitest";
import { SparError } from "../base/index.ts";
import { exitCodes } from "./exit-codes.ts";
import { describeFailure, reportFailure } from "./failure.ts";
import { createStyle } from "./terminal/style.ts";

const style = createStyle(false);
const workingFolder = "/users/ann/work";

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: refused, open '${path}'`), { code, path });
}

describe("failures", () => {
  test("paths are those of somebody in the working folder", () => {
    const error = new SparError({
      code: "x",
      boundary: "command",
      message: `${workingFolder}/runs/one is no run`,
      hint: `look into ${workingFolder}/runs`,
    });
    expect(reportFailure(error, { style, isVerbose: false, workingFolder })).toEqual([
      "error: runs/one is no run",
      "hint:  look into runs",
    ]);
  });

  test("one message and one hint, no stack unless it was asked for", () => {
    const error = new SparError({
      code: "unknown-recipe",
      boundary: "command",
      message: 'no recipe "spni"',
      hint: 'did you mean "spin"?',
      cause: new Error("inner"),
    });
    expect(reportFailure(error, { style, isVerbose: false, workingFolder })).toEqual([
      'error: no recipe "spni"',
      'hint:  did you mean "spin"?',
    ]);
    const verbose = reportFailure(error, { style, isVerbose: true, workingFolder }).join("\n");
    expect(verbose).toContain("failure.test.ts");
    expect(verbose).toContain("caused by Error: inner");
  });

  test("each boundary and special code leads to its exit", () => {
    const exitOf = (code: string, boundary: "command" | "data" | "engine" | "recipe" | "store"): string =>
      describeFailure(new SparError({ code, boundary, message: "x" })).exit;
    expect(exitOf("invalid-option", "command")).toBe("usage");
    expect(exitOf("file-truncated", "data")).toBe("input");
    expect(exitOf("engine-failed", "engine")).toBe("failed");
    expect(exitOf("capability-missing", "engine")).toBe("environment");
    expect(exitOf("aborted", "engine")).toBe("interrupted");
    expect(exitOf("step-failed", "recipe")).toBe("failed");
    expect(exitOf("data-changed", "recipe")).toBe("input");
    expect(exitOf("run-unreadable", "store")).toBe("input");
  });

  test("a full disk is named, however deep it hides", () => {
    const inner = new SparError({
      code: "checkpoint-failed",
      boundary: "store",
      message: "the checkpoint was not written",
      cause: systemError("ENOSPC", "/data/runs/x"),
    });
    const failure = describeFailure(new Error("step failed", { cause: inner }));
    expect(failure.exit).toBe("storage");
    expect(failure.message).toBe("cannot use /data/runs/x: no space left on the disk");
    const typed = new SparError({
      code: "disk-full",
      boundary: "store",
      message: "writing records failed",
      hint: "free space",
    });
    expect(describeFailure(new Error("step failed", { cause: typed }))).toEqual({
      exit: "storage",
      message: "writing records failed",
      hint: "free space",
    });
  });

  test("a folder without permission names the folder", () => {
    const failure = describeFailure(systemError("EACCES", "/srv/runs"));
    expect(failure.exit).toBe("storage");
    expect(failure.message).toContain("/srv/runs");
  });

  test("a file that is not there is bad input, a folder that cannot be made is storage", () => {
    expect(describeFailure(systemError("ENOENT", "x.jsonl"))).toMatchObject({ exit: "input" });
    const making = Object.assign(systemError("ENOENT", "/proc/x"), { syscall: "mkdir" });
    expect(describeFailure(making)).toMatchObject({
      exit: "storage",
      message: "cannot use /proc/x: it is not there and cannot be made",
    });
  });

  test.each([
    ["ENAMETOOLONG", "the name is too long"],
    ["ELOOP", "a link in the path leads back to itself"],
  ])("%s is said in words", (code, words) => {
    expect(describeFailure(systemError(code, "/srv/runs"))).toMatchObject({
      exit: "storage",
      message: `cannot use /srv/runs: ${words}`,
    });
  });

  test("a file that could not be read keeps the words of whoever read it", () => {
    const error = new SparError({
      code: "file-unreadable",
      boundary: "data",
      message: "expected to read data.jsonl",
      cause: systemError("EACCES", "data.jsonl"),
    });
    expect(describeFailure(error)).toMatchObject({ exit: "input", message: "expected to read data.jsonl" });
  });

  test("a plain error is a defect, and a chain of causes without end is followed to an end", () => {
    const loop = new Error("loop");
    loop.cause = loop;
    expect(describeFailure(loop)).toMatchObject({ exit: "failed", message: "unexpected error: loop" });
    expect(reportFailure("thrown text", { style, isVerbose: true, workingFolder }).length).toBeGreaterThan(2);
  });

  test("a stack inside a message, as one from another thread, is for those who ask", () => {
    const error = new Error("the engine failed: out of memory\n    at allocate (heap.ts:3:1)");
    expect(reportFailure(error, { style, isVerbose: false, workingFolder }).join("\n")).not.toContain(
      "heap.ts",
    );
    expect(reportFailure(error, { style, isVerbose: true, workingFolder }).join("\n")).toContain("heap.ts");
  });

  test("control characters of a message are shown, not obeyed", () => {
    const lines = reportFailure(new Error("\u001b[2J"), { style, isVerbose: true, workingFolder });
    expect(lines.join("")).not.toContain("\u001b");
  });

  test("no two exits share a code", () => {
    const codes = Object.values(exitCodes).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});
