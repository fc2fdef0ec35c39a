/**
 * The one WebAssembly memory that every compiled kernel of this engine works in, with a first-fit allocator.
 *
 * It knows bytes and addresses, nothing of tensors, models or threads. Freed neighbours are merged, so a run that
 * allocates and frees the same things again and again stays within the memory that it once needed.
 */
import { assert } from "../../../base/index.ts";
import { engineError } from "../../../contract/index.ts";

const alignmentBytes = 64;
const pageBytes = 65_536;
/** A 32-bit WebAssembly memory ends here. */
const maximumPages = 65_536;

function exhausted(what: string, cause?: unknown): Error {
  return engineError("memory-exhausted", `the embedded engine needs ${what}`, {
    hint: "choose a smaller model, or send fewer or shorter rows at once; spar plan prints the memory that a run needs",
    ...(cause === undefined ? {} : { cause }),
  });
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
  private end = alignmentBytes;

  constructor() {
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: maximumPages, shared: true });
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
    if (needed > maximumPages)
      throw exhausted(`more than the 4 GiB of a 32-bit memory, for one block of ${size} bytes`);
    if (needed > present) this.grow(needed - present);
    this.end = address + size;
    return address;
  }

  private grow(pages: number): void {
    try {
      this.memory.grow(pages);
    } catch (cause) {
      throw exhausted("more memory than this machine gives", cause);
    }
  }

  private mergeAt(index: number): void {
    const left = this.gaps[index];
    const right = this.gaps[index + 1];
    if (left === undefined || right === undefined || left.address + left.bytes !== right.address) return;
    this.gaps.splice(index, 2, { address: left.address, bytes: left.bytes + right.bytes });
  }
}
