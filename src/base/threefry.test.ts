import { expect, test } from "vitest";
import { threefryBits } from "./threefry.ts";

/** 53 bits of two words. */
const bits = (high: number, low: number): number => high * 2 ** 21 + (low >>> 11);

const ones = 0xffff_ffff;

// The known answers of the authors' library Random123 for 20 rounds.
test.each([
  [0, 0, 0, 0, bits(0x6b20_0159, 0x99ba_4efe)],
  [ones, ones, ones, ones, bits(0x1cb9_96fc, 0xbb00_2be7)],
  [0x1319_8a2e, 0x0370_7344, 0x243f_6a88, 0x85a3_08d3, bits(0xc492_3a9c, 0x483d_f7a0)],
] as const)(
  "key %d %d and counter %d %d give what the authors give",
  (key, subkey, counter, last, expected) => {
    expect(threefryBits(key, subkey, counter, last)).toBe(expected);
  },
);

test("a bit of key or counter that flips changes half of the bits", () => {
  const flips: number[] = [];
  for (let place = 0; place < 4; place++)
    for (let bit = 0; bit < 32; bit++)
      for (let base = 0; base < 20; base++) {
        const words: [number, number, number, number] = [base, 7 * base, 3, base * base];
        const before = BigInt(threefryBits(...words));
        words[place] = (words[place] ?? 0) ^ (1 << bit);
        const changed = before ^ BigInt(threefryBits(...words));
        flips.push(changed.toString(2).replaceAll("0", "").length);
      }
  // A flip changes 26.5 of 53 bits with a standard error of 0.07 over 2,560 tries.
  expect(Math.abs(flips.reduce((sum, count) => sum + count, 0) / flips.length - 26.5)).toBeLessThan(0.36);
  expect(Math.min(...flips)).toBeGreaterThanOrEqual(9);
});
