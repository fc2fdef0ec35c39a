import { afterAll, expect, test } from "vitest";
import { expectCode } from "../../../testing/index.ts";
import { Executor } from "./executor.ts";
import { ProgramLibrary } from "./program-library.ts";

const executor = new Executor({ threads: 1, memoryLimitBytes: 2 ** 20 });
afterAll(() => executor.close());

test("scratch memory that could not grow is still nobody else's", async () => {
  const library = new ProgramLibrary(executor);
  const { heap } = executor;
  library.arena(64_000);
  await expectCode(
    Promise.resolve().then(() => library.arena(2 ** 21)),
    "memory-exhausted",
  );
  const arena = library.arena(32_000);
  const other = heap.allocate(64_000);
  expect(other + 64_000 <= arena || arena + 32_000 <= other).toBe(true);
  expect(heap.usedBytes).toBeGreaterThanOrEqual(96_000);
});
