/**
 * The wall: all that the machine code of the interpreter can ask of this process goes through here. Before it is sealed
 * everything passes, since Python starts; afterwards what is listed passes, files are refused, and the rest, the bridge to
 * JavaScript with it, ends the execution. It holds whatever Python code does, with machine code of its own memory
 * included. Knows no requests.
 */
import type { EntropyStream } from "./entropy.ts";
import type { Imports, PythonModule } from "./module.ts";

/** Ends an execution from inside: the memory of the interpreter is put back afterwards. */
export class Ended extends Error {
  override readonly name = "Ended";
  readonly why: "time" | "refused" | "exit";
  constructor(why: "time" | "refused" | "exit", what: string) {
    super(what);
    this.why = why;
  }
}

/** Of one execution. */
export interface Surroundings {
  readonly entropy: EntropyStream;
  readonly startSeconds: number;
  readonly timeMs: number;
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

type Import = ((...given: never[]) => unknown) & { sig?: string };

/** Pure, or bookkeeping of the module itself. */
const passed = new Set(
  `_PyEM_TrampolineCall_JS emscripten_get_heap_max environ_get environ_sizes_get clock_res_get _tzset_js _timegm_js
  _mktime_js _localtime_js _gmtime_js _emscripten_get_progname emscripten_runtime_keepalive_push
  emscripten_runtime_keepalive_pop __syscall_getcwd fd_seek fd_fdstat_get __syscall_fstat64 Jsv_GetError_import JsvError_Check _Py_emscripten_runtime`.split(
    /\s+/u,
  ),
);

const permissionDenied = 63; // EPERM of WASI
const badFile = 8;
const noSuchName = -2;
/** Answered the same everywhere: Emscripten would ask this process, or change it. */
const fixedAnswers: Readonly<Record<string, number>> = {
  __syscall_getuid32_js: 1000,
  __syscall_umask_js: 0o22,
};
const nameCalls = new Set(["getaddrinfo", "getnameinfo"]);
/** Reading its own library is the one thing that Python needs of a file system. */
const libraryPath = /^\/lib\/python\d+\.zip$/u;
const writeFlags = 0o3 | 0o100 | 0o1000;
/** Between two looks at the clock of the processor; one is some tens of microseconds of Python. */
const checksPerLook = 64;
const longestPath = 4096;

export class Gate {
  #module: PythonModule | null = null;
  #surroundings: Surroundings | null = null;
  #endsAtMs = Number.POSITIVE_INFINITY;
  #checkCount = 0;
  #clockTicks = 0;
  #outputLeft = 0;
  /** Bytes of memory that the image has; what grows beyond is the program's. */
  imageBytes = 0;
  readonly #originals = new Map<string, Import>();

  /** Wraps every function that the machine code imports. */
  guard(imports: Imports): void {
    for (const names of new Set([imports["env"], imports["wasi_snapshot_preview1"]]))
      for (const [name, original] of Object.entries(names ?? {}))
        if (typeof original === "function" && names !== undefined)
          names[name] = this.#wrap(name, original as Import);
  }

  /** From now on the wall is up. */
  seal(module: PythonModule): void {
    this.#module = module;
  }

  /** One execution begins. */
  open(surroundings: Surroundings): void {
    this.#surroundings = surroundings;
    this.#endsAtMs = processorMs() + surroundings.timeMs;
    this.#checkCount = 0;
    this.#clockTicks = 0;
    this.#outputLeft = surroundings.outputBytes;
  }

  close(): void {
    this.#surroundings = null;
    this.#endsAtMs = Number.POSITIVE_INFINITY;
  }

  #wrap(name: string, original: Import): Import {
    this.#originals.set(name, original);
    const guarded = this.#guarded(name, original);
    const wrapped: Import = (...given: never[]) =>
      this.#module === null ? original(...given) : guarded(...(given as unknown as number[]));
    // Emscripten makes entries of the table from it.
    if (original.sig !== undefined) wrapped.sig = original.sig;
    return wrapped;
  }

  #guarded(name: string, original: Import): (...given: number[]) => unknown {
    const own = this.#own(name);
    if (own !== null) return own;
    const fixed = fixedAnswers[name];
    if (fixed !== undefined) return () => fixed;
    if (passed.has(name)) return (...given) => original(...(given as never[]));
    if (nameCalls.has(name)) return () => noSuchName;
    if (name.startsWith("__syscall_")) return () => -permissionDenied;
    if (name.startsWith("fd_")) return () => permissionDenied;
    return () => {
      throw new Ended("refused", `the program reached for ${name}`);
    };
  }

  /** What is answered here instead. */
  #own(name: string): ((...given: number[]) => unknown) | null {
    switch (name) {
      case "_Py_CheckEmscriptenSignals_Helper":
        return () => this.#look();
      case "clock_time_get":
        return (_clock, _precision, pointer) => this.#writeTime(pointer ?? 0);
      case "emscripten_get_now":
      case "emscripten_date_now":
        return () => Number(this.#nowNanoseconds()) / 1e6;
      case "random_get":
        return (pointer = 0, bytes = 0) => this.#writeRandom(pointer >>> 0, bytes >>> 0);
      case "fd_close":
      case "fd_read":
        // The standard ones are this process's own, and stay open from one execution to the next.
        return (file = 0, ...rest) => (file <= 2 ? badFile : this.#call(name, file, ...rest));
      case "fd_write":
        return (file = 0, vectors = 0, count = 0, written = 0) =>
          file === 1 || file === 2 ? this.#swallow(vectors >>> 0, count, written >>> 0) : badFile;
      case "emscripten_resize_heap":
        return (bytes = 0) => this.#grow(bytes >>> 0);
      case "__syscall_openat":
        return (folder = 0, path = 0, flags = 0, rest = 0) =>
          (flags & writeFlags) === 0 && libraryPath.test(this.#text(path >>> 0))
            ? this.#call(name, folder, path, flags, rest)
            : -permissionDenied;
      case "__syscall_stat64":
        return (path = 0, buffer = 0) =>
          libraryPath.test(this.#text(path >>> 0)) ? this.#call(name, path, buffer) : -permissionDenied;
      case "proc_exit":
      case "exit":
      case "_abort_js":
      case "__assert_fail":
        return () => {
          throw new Ended("exit", "the program ended its interpreter");
        };
      default:
        return null;
    }
  }

  #call(name: string, ...given: number[]): unknown {
    return this.#originals.get(name)?.(...(given as never[]));
  }

  /** The interpreter asks every few dozen instructions whether there is a signal. */
  #look(): number {
    if (++this.#checkCount % checksPerLook === 0 && processorMs() > this.#endsAtMs)
      throw new Ended("time", "the program used up its time");
    return 0;
  }

  /** Time stands where the seed puts it, and moves a microsecond with every look. */
  #nowNanoseconds(): bigint {
    const start = BigInt(this.#surroundings?.startSeconds ?? 0) * 1_000_000_000n;
    return start + BigInt(this.#clockTicks++) * 1000n;
  }

  #writeTime(pointer: number): number {
    this.#look();
    this.#view().setBigUint64(pointer >>> 0, this.#nowNanoseconds(), true);
    return 0;
  }

  #writeRandom(pointer: number, bytes: number): number {
    const { HEAPU8: memory } = this.#present();
    const { entropy } = this.#surroundings ?? {};
    if (entropy !== undefined) memory.set(entropy.take(Math.min(bytes, memory.length - pointer)), pointer);
    return 0;
  }

  /** Beside what Python code prints, which the runner keeps: written to the files themselves, and dropped. */
  #swallow(vectors: number, count: number, written: number): number {
    const view = this.#view();
    let bytes = 0;
    for (let index = 0; index < count; index++) bytes += view.getUint32(vectors + 8 * index + 4, true);
    this.#outputLeft -= bytes;
    view.setUint32(written, bytes, true);
    // A flood is cut by the clock.
    this.#look();
    return this.#outputLeft < 0 ? permissionDenied : 0;
  }

  #grow(bytes: number): unknown {
    const most = this.imageBytes + (this.#surroundings?.memoryBytes ?? 0);
    return bytes > most ? 0 : this.#call("emscripten_resize_heap", bytes);
  }

  #text(pointer: number): string {
    const { HEAPU8: memory } = this.#present();
    const end = memory.indexOf(0, pointer);
    return end < 0 || end - pointer > longestPath
      ? ""
      : Buffer.from(memory.subarray(pointer, end)).toString("latin1");
  }

  #view(): DataView {
    return new DataView(this.#present().HEAPU8.buffer);
  }

  #present(): PythonModule {
    if (this.#module === null) throw new Ended("refused", "the interpreter has not started");
    return this.#module;
  }
}

/** Of this thread. @unit milliseconds */
export function processorMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
