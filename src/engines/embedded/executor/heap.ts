/**
 * The one WebAssembly memory that every compiled kernel of this engine works in, with a first-fit allocator.
 *
 * It knows bytes and addresses, nothing of tensors, models or threads. Freed neighbours are merged, so a run that
 * allocates and frees the same things again and again stays within the memory that it once needed.
 */
import { assert, type SparError } from "../../../base/index.ts";
import { engineError } from "../../../contract/index.ts";

const alignmentBytes = 64;
export const pageBytes: number = 65_536;
/** A 32-bit WebAssembly memory ends here, at 4 GiB. */
export const longestMemoryBytes: number = 2 ** 32;

/** The error of an engine that has no memory left. */
export function memoryExhausted(message: string, cause?: unknown): SparError {
  return engineError("memory-exhausted", message, {
    hint: "choose a smaller model, or send fewer or shorter rows at once; spar plan prints the memory that a run needs",
    ...(cause === undefined ? {} : { cause }),
  });
}

function inWords(bytes: number): string {
  const [unit, name] = bytes < 10 * 2 ** 20 ? [2 ** 10, "KiB"] : [2 ** 20, "MiB"];
  return `${Math.ceil(bytes / unit).toLocaleString("en")} ${name}`;
}

interface Gap {
  address: number;
  bytes: number;
}

export class SharedHeap {
  readonly memory: WebAssembly.Memory;
  /** Free ranges below `end`, in rising order of address, never touching each other. */
  private readonly gaps: Gap[] = [];
  private readonly sizes = new Map<number, number>();
  private readonly maximumPages: number;
  private end = alignmentBytes;

  /** Never takes more than `limitBytes`, in whole pages of 64 KiB. */
  constructor(limitBytes: number = longestMemoryBytes) {
    this.maximumPages = Math.floor(limitBytes / pageBytes);
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: this.maximumPages, shared: true });
  }

  /** Bytes in live blocks: what the memory test watches. */
  get usedBytes(): number {
    let total = 0;
    for (const bytes of this.sizes.values()) total += bytes;
    return total;
  }

  allocate(bytes: number): number {
    const size = Math.max(alignmentBytes, Math.ceil(bytes / alignmentBytes) * alignmentBytes);
    const address = this.takeGap(size) ?? this.extend(size);
    this.sizes.set(address, size);
    return address;
  }

  /** Allocates `length` four-byte numbers, all zero. */
  allocateZeros(length: number): number {
    const address = this.allocate(length * 4);
    this.float32(address, length).fill(0);
    return address;
  }

  free(address: number): void {
    const bytes = this.sizes.get(address);
    assert(bytes !== undefined, `free of address ${address}, which is not allocated`);
    this.sizes.delete(address);
    let index = this.gaps.findIndex((gap) => gap.address > address);
    if (index === -1) index = this.gaps.length;
    this.gaps.splice(index, 0, { address, bytes });
    this.mergeAt(index);
    if (index > 0) this.mergeAt(index - 1);
  }

  /** Runs what allocates several blocks: where it throws, none of them stays. */
  together<T>(allocateAll: () => T): T {
    const known = new Set(this.sizes.keys());
    try {
      return allocateAll();
    } catch (thrown) {
      for (const address of this.sizes.keys()) if (!known.has(address)) this.free(address);
      throw thrown;
    }
  }

  /** Views go stale for new addresses when the memory grows, so they are made where they are used. */
  float32(address: number, length: number): Float32Array<ArrayBufferLike> {
    return new Float32Array(this.memory.buffer, address, length);
  }

  int32(address: number, length: number): Int32Array<ArrayBufferLike> {
    return new Int32Array(this.memory.buffer, address, length);
  }

  private takeGap(size: number): number | undefined {
    const index = this.gaps.findIndex((gap) => gap.bytes >= size);
    const gap = this.gaps[index];
    if (gap === undefined) return undefined;
    const { address } = gap;
    if (gap.bytes === size) this.gaps.splice(index, 1);
    else this.gaps[index] = { address: address + size, bytes: gap.bytes - size };
    return address;
  }

  private extend(size: number): number {
    const address = this.end;
    const needed = Math.ceil((address + size) / pageBytes);
    const present = this.memory.buffer.byteLength / pageBytes;
    if (needed > this.maximumPages) throw this.exhausted(size, this.limit());
    if (needed > present) this.grow(needed - present, size);
    this.end = address + size;
    return address;
  }

  private grow(pages: number, forBytes: number): void {
    try {
      this.memory.grow(pages);
    } catch (cause) {
      throw this.exhausted(forBytes, "what this machine gives", cause);
    }
  }

  private limit(): string {
    const limitBytes = this.maximumPages * pageBytes;
    const isLongest = limitBytes === longestMemoryBytes;
    return `its limit of ${inWords(limitBytes)}${isLongest ? ", the end of a 32-bit memory" : ""}`;
  }

  private exhausted(bytes: number, bound: string, cause?: unknown): Error {
    const has = inWords(this.usedBytes);
    const message = `the embedded engine holds ${has} and needs ${inWords(bytes)} more in one piece: beyond ${bound}`;
    return memoryExhausted(message, cause);
  }

  private mergeAt(index: number): void {
    const left = this.gaps[index];
    const right = this.gaps[index + 1];
    if (left === undefined || right === undefined || left.address + left.bytes !== right.address) return;
    this.gaps.splice(index, 2, { address: left.address, bytes: left.bytes + right.bytes });
  }
}
