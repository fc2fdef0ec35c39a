/**
 * One interpreter in this process: put back to its image, asked with bytes, answering with bytes. Used by `child.ts`
 * alone, in a process where nothing else lies. Knows no requests.
 */
import { EntropyStream } from "./entropy.ts";
import { Gate, type Surroundings } from "./gate.ts";
import { putBack, type Image } from "./image.ts";
import { instantiate, type PythonModule, type PythonParts } from "./module.ts";

export class Interpreter {
  readonly #parts: PythonParts;
  #module: PythonModule;
  #gate: Gate;
  #image: Image;
  #openFiles: number;
  /** Whether nothing has run since the memory was put back. */
  isPristine = true;

  private constructor(parts: PythonParts, { module, gate, image }: Loaded) {
    this.#parts = parts;
    this.#module = module;
    this.#gate = gate;
    this.#image = image;
    this.#openFiles = module.FS.streams.length;
  }

  static async start(parts: PythonParts, image: Image): Promise<Interpreter> {
    return new Interpreter(parts, await load(parts, image));
  }

  /** As it was when the image was taken. Memory that was added cannot be given back, so then it is a new instance. */
  async restore(image: Image = this.#image): Promise<void> {
    const { streams } = this.#module.FS;
    const isAsBefore = this.#module.HEAPU8.length === image.bytes && image.bytes === this.#image.bytes;
    this.#image = image;
    if (
      isAsBefore &&
      streams.slice(this.#openFiles).every((stream) => stream === null || stream === undefined)
    ) {
      putBack(this.#module, image);
    } else {
      const loaded = await load(this.#parts, image);
      this.#module = loaded.module;
      this.#gate = loaded.gate;
      this.#openFiles = loaded.module.FS.streams.length;
    }
    this.isPristine = true;
  }

  /** Whether memory had to be added. */
  get hasGrown(): boolean {
    return this.#module.HEAPU8.length !== this.#image.bytes;
  }

  /** @throws `Ended`, and whatever ends machine code: the interpreter has to be restored then */
  ask(request: Uint8Array, surroundings: Surroundings): Uint8Array {
    this.isPristine = false;
    const module = this.#module;
    this.#gate.open(surroundings);
    try {
      const given = module._PyBytes_FromStringAndSize(0, request.length);
      module.HEAPU8.set(request, module._PyBytes_AsString(given));
      const answer = module._PyObject_CallOneArg(this.#image.handler, given);
      module._Py_DecRef(given);
      if (answer === 0) throw new Error("the handler of requests failed");
      const start = module._PyBytes_AsString(answer);
      if (start === 0) throw new Error("the handler of requests did not answer with bytes");
      const bytes = module.HEAPU8.slice(start, start + module._PyBytes_Size(answer));
      module._Py_DecRef(answer);
      return bytes;
    } finally {
      this.#gate.close();
    }
  }
}

interface Loaded {
  readonly module: PythonModule;
  readonly gate: Gate;
  readonly image: Image;
}

async function load(parts: PythonParts, image: Image): Promise<Loaded> {
  const gate = new Gate();
  const module = await instantiate(parts, { gate, hashSeed: null });
  if (module.HEAPU8.length < image.bytes) module.growMemory(image.bytes);
  putBack(module, image);
  gate.imageBytes = image.bytes;
  gate.seal(module);
  return { module, gate, image };
}

/** What an execution sees of the world. */
export function surroundingsOf(request: {
  readonly seed: number;
  readonly startSeconds: number;
  readonly timeMs: number;
  readonly memoryBytes: number;
  readonly outputBytes: number;
}): Surroundings {
  return { ...request, entropy: new EntropyStream(request.seed) };
}
