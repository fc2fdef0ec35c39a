/** Growth, the cap, and draws that are the same for the same seed. */
import { createRandom } from "spar/base";
import { expect, test } from "vitest";
import { drawReferences, drawTasks, grow, type TaskBuffer } from "./buffers.ts";

const filled = (count: number, step = 0): TaskBuffer<number> =>
  grow<number>(
    [],
    Array.from({ length: count }, (_value, index) => index),
    { step, capacity: 100 },
  );

test("a buffer keeps the newest, and tells when they came", () => {
  const buffer = grow(grow(filled(3), [3, 4], { step: 1, capacity: 4 }), [5], { step: 2, capacity: 4 });
  expect(buffer).toEqual([
    { entry: 2, step: 0 },
    { entry: 3, step: 1 },
    { entry: 4, step: 1 },
    { entry: 5, step: 2 },
  ]);
});

test("a buffer comes back from its JSON as it was, and goes on alike", () => {
  const buffer = grow(filled(20), [20, 21], { step: 7, capacity: 100 });
  const back = JSON.parse(JSON.stringify(buffer)) as typeof buffer;
  expect(back).toEqual(buffer);
  const draw = (from: typeof buffer): number[] =>
    drawTasks(from, { count: 8, since: 7, random: createRandom(3) });
  expect(draw(back)).toEqual(draw(buffer));
});

test("references differ from each other, are as many as there can be, and depend on the seed alone", () => {
  const buffer = filled(10);
  const drawn = drawReferences(buffer, 6, createRandom(1));
  expect(new Set(drawn).size).toBe(6);
  expect(drawReferences(buffer, 6, createRandom(1))).toEqual(drawn);
  expect(drawReferences(buffer, 6, createRandom(2))).not.toEqual(drawn);
  expect(drawReferences(filled(4), 6, createRandom(1)).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  expect(drawReferences([], 6, createRandom(1))).toEqual([]);
});

test("every entry is as likely as any other to be a reference", () => {
  const counts = Array.from({ length: 5 }, () => 0);
  const random = createRandom(5);
  for (let draw = 0; draw < 5000; draw++)
    for (const entry of drawReferences(filled(5), 2, random.split(draw)))
      counts[entry] = (counts[entry] ?? 0) + 1;
  // 2,000 expected, deviation 35.
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(150);
});

test("new tasks come first, each once, and the rest is drawn from all with repeats", () => {
  const buffer = grow(filled(3), [100, 101], { step: 4, capacity: 100 });
  const drawn = drawTasks(buffer, { count: 20, since: 4, random: createRandom(1) });
  expect(drawn).toHaveLength(20);
  expect(drawn.slice(0, 2).toSorted((a, b) => a - b)).toEqual([100, 101]);
  expect(new Set(drawn.slice(2))).toEqual(new Set([0, 1, 2, 100, 101]));
});

test("of more new tasks than are asked for, different ones are drawn; none from an empty buffer", () => {
  const drawn = drawTasks(filled(9, 4), { count: 4, since: 4, random: createRandom(1) });
  expect(new Set(drawn).size).toBe(4);
  expect(drawTasks([], { count: 4, since: 0, random: createRandom(1) })).toEqual([]);
});
