/**
 * What every engine that builds models wants of an architecture: the engines refuse by it, and recipes
 * ask it before anything starts. Knows no engine.
 */
import type { Architecture } from "./models.ts";

/** Vector instructions take four numbers at a time, and rotary positions turn them in pairs. */
const headWidthMultiple = 4;

/** What is wrong with width and heads, in words; null where they can be built. */
export function architectureProblem({
  width,
  headCount,
}: Pick<Architecture, "width" | "headCount">): string | null {
  const headWidth = width / headCount;
  if (Number.isInteger(headWidth) && headWidth % headWidthMultiple === 0) return null;
  return `width must be headCount times a multiple of ${headWidthMultiple}, got width ${width} and headCount ${headCount}`;
}
