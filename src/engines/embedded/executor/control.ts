/**
 * The words in shared memory through which the engine's thread and its helpers split one kernel at a time.
 *
 * A ticket is `sequence * 256 + nextChunk`. Whoever moves it from n to n+1 owns chunk n. The main thread writes the
 * description of a launch between closing the ticket and writing a new one, and only when every chunk of the launch before is done, so
 * a successful exchange proves that the description which was read belongs to that ticket.
 * Helpers are optional at every moment: a helper that the operating system has put aside delays nothing
 * but the chunk that it holds.
 */
export const controlWords = {
  ticket: 0,
  done: 1,
  chunkCount: 2,
  program: 3,
  step: 4,
  sleeping: 5,
  stop: 6,
  waiting: 7,
  failed: 8,
  length: 16,
} as const;

/** The chunk number of a ticket that nobody may take. */
export const closedTicket = 255;

/** At most this many pieces per launch; 255 is what fits beside the sequence in a ticket. */
export const maximumChunks = 128;

/** A step in a program's flat table: kernel, operand count, size, chunk, then `maximumOperands` addresses. */
export const stepWords = { kernel: 0, operandCount: 1, size: 2, chunk: 3, operands: 4 } as const;

export type Kernel = (...parameters: number[]) => void;

/** Calls a kernel on one chunk. The usual counts are written out because a spread call costs as much as a small kernel. */
export function callKernel(kernel: Kernel, table: Int32Array, at: number, begin: number, end: number): void {
  const first = at + stepWords.operands;
  const count = table[at + stepWords.operandCount]!;
  switch (count) {
    case 1:
      return kernel(table[first]!, begin, end);
    case 2:
      return kernel(table[first]!, table[first + 1]!, begin, end);
    case 3:
      return kernel(table[first]!, table[first + 1]!, table[first + 2]!, begin, end);
    case 4:
      return kernel(table[first]!, table[first + 1]!, table[first + 2]!, table[first + 3]!, begin, end);
    case 5:
      return kernel(
        table[first]!,
        table[first + 1]!,
        table[first + 2]!,
        table[first + 3]!,
        table[first + 4]!,
        begin,
        end,
      );
    default:
      return kernel(...table.subarray(first, first + count), begin, end);
  }
}
