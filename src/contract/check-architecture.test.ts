import { expect, test } from "vitest";
import { architectureProblem } from "./check-architecture.ts";

test.each([
  [96, 4],
  [8, 2],
  [4, 1],
])("width %d with %d heads can be built", (width, headCount) => {
  expect(architectureProblem({ width, headCount })).toBeNull();
});

test.each([
  [95, 4],
  [10, 1],
  [8, 4],
  [4, 8],
])("width %d with %d heads cannot, and is told why", (width, headCount) => {
  expect(architectureProblem({ width, headCount })).toBe(
    `width must be headCount times a multiple of 4, got width ${width} and headCount ${headCount}`,
  );
});
