/** What the machine brings: Node, cores, memory, disk. */
import { availableParallelism, freemem, totalmem } from "node:os";
import { freeBytesAt } from "../plan/warn-about-size.ts";
import { formatBytes } from "../terminal/format.ts";
import type { Check } from "./check.ts";

export interface MachineOptions {
  /** The running Node: `24.1.0`. */
  readonly nodeVersion: string;
  /** The `engines.node` of package.json: `>=24.0.0`. */
  readonly neededNode: string;
  readonly runsFolder: string;
}

/** Below these a nano preset is likely to fail. */
const smallestMemoryBytes = 1e9;
const smallestDiskBytes = 1e9;

export function checkMachine(options: MachineOptions): Check[] {
  return [checkNode(options), checkCores(), checkMemory(), checkDisk(options.runsFolder), checkWebAssembly()];
}

export function checkNode(options: Pick<MachineOptions, "nodeVersion" | "neededNode">): Check {
  const needed = /[\d.]+/u.exec(options.neededNode)?.[0] ?? "0";
  const isNewEnough = compareVersions(options.nodeVersion, needed) >= 0;
  return {
    name: "Node",
    status: isNewEnough ? "ok" : "missing",
    detail: `${options.nodeVersion}, needed ${options.neededNode}`,
    fix: isNewEnough ? null : `install Node ${needed} or later from https://nodejs.org`,
  };
}

/** Negative where the first is older; both like `24.1.0`. */
function compareVersions(left: string, right: string): number {
  const [numbers, others] = [left, right].map((version) => version.split(".").map(Number));
  const differences = [0, 1, 2].map((part) => (numbers?.[part] ?? 0) - (others?.[part] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}

function checkCores(): Check {
  return { name: "cores", status: "ok", detail: String(availableParallelism()), fix: null };
}

function checkMemory(): Check {
  const limit = process.constrainedMemory();
  const totalBytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  const freeBytes = Math.min(process.availableMemory(), totalBytes);
  const detail = `${formatBytes(freeBytes)} free of ${formatBytes(Math.max(totalBytes, freemem()))}`;
  return freeBytes >= smallestMemoryBytes
    ? { name: "memory", status: "ok", detail, fix: null }
    : {
        name: "memory",
        status: "optional",
        detail,
        fix: `close other programs: ${formatBytes(smallestMemoryBytes)} is a good start`,
      };
}

/** Free space where runs go: of the nearest folder that exists. */
function checkDisk(runsFolder: string): Check {
  const freeBytes = freeBytesAt(runsFolder);
  const detail = `${formatBytes(freeBytes)} free at ${runsFolder}`;
  return freeBytes >= smallestDiskBytes
    ? { name: "disk", status: "ok", detail, fix: null }
    : {
        name: "disk",
        status: "optional",
        detail,
        fix: "free some space, or choose another place with --runs-folder",
      };
}

/** `i32x4` splat and drop: the smallest module that needs 128-bit SIMD. */
const simdModule = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  4,
  1,
  96,
  0,
  0,
  3,
  2,
  1,
  0,
  10,
  9,
  1,
  7,
  0,
  65,
  0,
  253,
  17,
  26,
  11,
);

function checkWebAssembly(): Check {
  const hasSimd = WebAssembly.validate(simdModule);
  const hasSharedMemory = typeof SharedArrayBuffer === "function";
  return {
    name: "WebAssembly",
    status: hasSimd && hasSharedMemory ? "ok" : "missing",
    detail: `SIMD ${hasSimd ? "yes" : "no"}, shared memory ${hasSharedMemory ? "yes" : "no"}`,
    fix: hasSimd && hasSharedMemory ? null : "use Node 24 or later on a 64-bit machine",
  };
}
