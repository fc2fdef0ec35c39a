import { afterAll, expect, test } from "vitest";
import { createRandom } from "../../../base/index.ts";
import { capture } from "./capture.ts";
import { Executor } from "./executor.ts";
import { buildProgram } from "./program.ts";

const [rows, inner, columns] = [512, 64, 96];
const executors = [1, 2, 3].map((threads) => new Executor({ threads }));
afterAll(async () => {
  await Promise.all(executors.map((executor) => executor.close()));
});

/** Runs `relu(x w) + 1` often enough for helpers to take part, and returns the last result. */
async function multiply(
  executor: Executor,
): Promise<{ x: Float32Array; w: Float32Array; result: Float32Array }> {
  const specs = [
    { shape: [rows, inner], type: "float32" as const },
    { shape: [inner, columns], type: "float32" as const },
  ];
  const captured = await capture(specs, ({ numpy }, [x, w]) => [
    numpy.maximum(numpy.matmul(x!, w!), 0).add(1),
  ]);
  const loaded = executor.load(buildProgram(captured));
  const { heap } = executor;
  const random = createRandom(7);
  const addresses = [rows * inner, inner * columns].map((length) => {
    const address = heap.allocate(length * 4);
    heap.float32(address, length).forEach((_, index, all) => (all[index] = random.normal()));
    return address;
  });
  const output = heap.allocate(rows * columns * 4);
  const arena = heap.allocate(loaded.program.arenaBytes + 64);
  for (let run = 0; run < 20; run += 1) {
    heap.float32(output, rows * columns).fill(NaN);
    executor.run(loaded, 0, { inputs: addresses, outputs: [output], arena });
  }
  const [x = 0, w = 0] = addresses;
  const copy = (address: number, length: number): Float32Array =>
    new Float32Array(heap.float32(address, length));
  return { x: copy(x, rows * inner), w: copy(w, inner * columns), result: copy(output, rows * columns) };
}

test("a captured function gives what plain loops in float64 give", async () => {
  const { x, w, result } = await multiply(executors[0]!);
  for (let row = 0; row < rows; row += 37) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      for (let index = 0; index < inner; index += 1)
        sum += x[row * inner + index]! * w[index * columns + column]!;
      expect(result[row * columns + column]).toBeCloseTo(Math.max(sum, 0) + 1, 4);
    }
  }
});

test("the number of threads changes no bit", async () => {
  const results = [];
  for (const executor of executors) results.push((await multiply(executor)).result);
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});
