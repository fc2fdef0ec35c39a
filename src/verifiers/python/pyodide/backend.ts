/**
 * The default backend: CPython in WebAssembly, in processes of their own that may read Python's files and nothing else.
 * Needs no Python. Starts interpreters from images, which it makes once and keeps.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execFile } from "node:child_process";
import { messageOf, sha256, withDeadline } from "../../../base/index.ts";
import { sandboxError } from "../errors.ts";
import { LineWorker } from "../line-worker.ts";
import type { PythonBackend, PythonWorker } from "../worker.ts";
import { findPyodide, type PythonFiles } from "./module.ts";

export interface PyodideOptions {
  /** Where images of started interpreters are kept, 13 MB each. Default: `.cache/spar/python` in the home folder. */
  readonly cacheFolder?: string;
}

const isSource = import.meta.url.endsWith(".ts");
const extension = isSource ? "ts" : "js";
const here = fileURLToPath(new URL(".", import.meta.url));
/** `src` or `dist/src`. */
const library = join(here, "..", "..", "..");
const imageTimeoutMs = 180_000;
/** Python's own guard against deep recursion counts on more stack than Node gives. @unit kilobytes */
const stackKilobytes = 3900;

/** @throws `backend-unavailable` where the package `pyodide` is missing */
export function pyodideBackend(options: PyodideOptions = {}): PythonBackend {
  const files = find();
  const { cacheFolder = join(homedir(), ".cache", "spar", "python") } = options;
  let images: Promise<readonly string[]> | null = null;
  return {
    id: "pyodide",
    software: `Pyodide ${files.version}`,
    isRepeatable: true,
    start: async (): Promise<PythonWorker> => {
      images ??= makeImages(files, cacheFolder);
      const paths = await images.catch((thrown: unknown) => {
        images = null;
        throw thrown;
      });
      const worker = new LineWorker({
        executable: process.execPath,
        words: [
          ...nodeWords([library, files.folder, ...paths]),
          // For the thread that ends it when this process has gone.
          "--allow-worker",
          `--stack-size=${stackKilobytes}`,
          join(here, `child.${extension}`),
          files.folder,
          ...paths,
        ],
        environment: { TZ: "UTC" },
        runsPrograms: true,
        readsAhead: true,
      });
      await worker.ready();
      return worker;
    },
  };
}

/** What the process may do is said to Node as well: should the wall of the interpreter fall, it can still only read these. */
function nodeWords(readable: readonly string[]): string[] {
  return [
    ...(isSource ? ["--conditions=source"] : []),
    "--no-warnings",
    "--permission",
    ...readable.map((path) => `--allow-fs-read=${path}`),
  ];
}

function find(): PythonFiles {
  try {
    return findPyodide();
  } catch (thrown) {
    throw sandboxError("backend-unavailable", `the package pyodide was not found: ${messageOf(thrown)}`, {
      hint: "npm install spar again: it brings pyodide along",
      cause: thrown,
    });
  }
}

/** One image per hash seed. */
async function makeImages(files: PythonFiles, cacheFolder: string): Promise<readonly string[]> {
  const sources = [
    "values.py",
    "queries.py",
    "runner.py",
    "allow_list.py",
    "interpreter.py",
    `pyodide/make-image.${extension}`,
  ];
  const content = sources.map((name) => readFileSync(join(here, "..", name), "utf8"));
  const key = sha256([files.version, process.version, ...content].join("\0")).slice(0, 24);
  const paths = [1, 2].map((hashSeed) => join(cacheFolder, `${key}-${hashSeed}.image`));
  // Here: the process that writes them may write into this folder alone, and not make it.
  mkdirSync(cacheFolder, { recursive: true, mode: 0o700 });
  const missing = paths.flatMap((path, index) =>
    existsSync(path) ? [] : [makeImage(files, path, index + 1)],
  );
  await Promise.all(missing);
  return paths;
}

async function makeImage(files: PythonFiles, path: string, hashSeed: number): Promise<void> {
  const words = [
    ...nodeWords([library, files.folder, dirname(path)]),
    `--allow-fs-write=${dirname(path)}`,
    join(here, `make-image.${extension}`),
    files.folder,
    path,
    String(hashSeed),
  ];
  const wait = { boundary: "verifier", what: "an image of Python", timeoutMs: imageTimeoutMs } as const;
  await withDeadline(
    wait,
    (signal) =>
      new Promise<void>((resolve, reject) => {
        execFile(process.execPath, words, { env: {}, signal }, (error, _output, errors) => {
          if (error === null) resolve();
          else
            reject(
              sandboxError(
                "backend-unavailable",
                `no image of Python could be made: ${lastLine(errors, error)}`,
                {
                  hint: `see that ${dirname(path)} can be written, or name another cacheFolder`,
                  facts: { standardError: errors.slice(-2000) },
                },
              ),
            );
        });
      }),
  );
}

function lastLine(errors: string, error: Error): string {
  return errors.split("\n").find((line) => /error/iu.test(line)) ?? error.message;
}
