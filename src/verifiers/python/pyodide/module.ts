/**
 * CPython in WebAssembly, as the package `pyodide` brings it: its module started without the JavaScript half of Pyodide, so
 * that no bridge is ever built. Knows no requests.
 */
import { constants, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { Gate } from "./gate.ts";

/** What is used of the module that Emscripten makes; pointers are numbers. */
export interface PythonModule {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  readonly ENV: Record<string, string>;
  readonly FS: {
    mkdirTree(path: string): void;
    writeFile(path: string, data: Uint8Array | string): void;
    chdir(path: string): void;
    readonly streams: (object | null)[];
  };
  readonly _Py_Version: number;
  /** Where it is written whether the interpreter asks for signals between its instructions. */
  readonly _Py_EMSCRIPTEN_SIGNAL_HANDLING: number;
  stringToNewUTF8(text: string): number;
  growMemory(bytes: number): unknown;
  stackSave(): number;
  stackRestore(pointer: number): void;
  _free(pointer: number): void;
  _PyRun_SimpleString(text: number): number;
  _PyObject_CallOneArg(callable: number, argument: number): number;
  _PyBytes_FromStringAndSize(data: number, bytes: number): number;
  _PyBytes_AsString(object: number): number;
  _PyBytes_Size(object: number): number;
  _PyErr_Clear(): void;
  _Py_DecRef(object: number): void;
  _PyImport_AddModule(name: number): number;
  _PyObject_GetAttrString(object: number, name: number): number;
}

export type Imports = Record<string, Record<string, unknown>>;
type CreateModule = (settings: object) => Promise<PythonModule>;

export interface PythonFiles {
  readonly folder: string;
  readonly version: string;
}

/** Where the package lies. @throws where it is not installed */
export function findPyodide(): PythonFiles {
  const manifest = createRequire(import.meta.url).resolve("pyodide/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string };
  return { folder: dirname(manifest), version };
}

export interface PythonParts {
  readonly create: CreateModule;
  readonly wasm: WebAssembly.Module;
  readonly library: Uint8Array;
}

/**
 * Read and compiled once; every instance is made from these. The folder is named by whoever starts this process, which may
 * not look for it itself: the way to it can lead over links that it is not allowed to read.
 */
export async function loadParts(folder: string): Promise<PythonParts> {
  // Emscripten asks for the flags of open() in an old way, which a process without permissions is refused.
  Object.assign(process, { binding: () => ({ fs: constants }) });
  const { default: create } = (await import(pathToFileURL(join(folder, "pyodide.asm.mjs")).href)) as {
    readonly default: CreateModule;
  };
  const wasm = await WebAssembly.compile(new Uint8Array(readFileSync(join(folder, "pyodide.asm.wasm"))));
  return { create, wasm, library: new Uint8Array(readFileSync(join(folder, "python_stdlib.zip"))) };
}

export interface InstanceOptions {
  readonly gate: Gate;
  /** Python starts by itself; else memory is filled from an image. */
  readonly hashSeed: number | null;
}

const home = "/box";

/** An instance of its own: memory, table, file system. */
export async function instantiate(parts: PythonParts, options: InstanceOptions): Promise<PythonModule> {
  const api = {
    config: { env: {}, args: [], jsglobals: {} },
    runtimeEnv: {},
    pyVersionTuple: [0, 0, 0],
  };
  return parts.create({
    noInitialRun: options.hashSeed === null,
    API: api,
    arguments: [],
    thisProgram: "python",
    print: () => undefined,
    printErr: () => undefined,
    locateFile: (path: string) => path,
    preRun: [(module: PythonModule) => prepare(module, api, { ...options, library: parts.library })],
    instantiateWasm: (
      imports: Imports,
      done: (instance: WebAssembly.Instance, wasm: WebAssembly.Module) => void,
    ) => {
      options.gate.guard(imports);
      const { env = {} } = imports;
      env["Jsv_GetError_import"] = () => null;
      env["JsvError_Check"] = () => 0;
      done(new WebAssembly.Instance(parts.wasm, imports as WebAssembly.Imports), parts.wasm);
      return {};
    },
  });
}

function prepare(
  module: PythonModule,
  api: { pyVersionTuple: number[] },
  { library, hashSeed }: { readonly library: Uint8Array; readonly hashSeed: number | null },
): void {
  const version = module.HEAPU32[module._Py_Version >>> 2] ?? 0;
  const [major, minor] = [(version >>> 24) & 255, (version >>> 16) & 255];
  // Emscripten's half reads it, though nothing of it is used.
  api.pyVersionTuple = [major, minor, (version >>> 8) & 255];
  for (const folder of ["site-packages", "lib-dynload"])
    module.FS.mkdirTree(`/lib/python${major}.${minor}/${folder}`);
  module.FS.writeFile(`/lib/python${major}${minor}.zip`, library);
  module.FS.mkdirTree(home);
  module.FS.chdir(home);
  Object.assign(module.ENV, { HOME: home, PYTHONHASHSEED: String(hashSeed ?? 0), PYTHONINSPECT: "1" });
}
