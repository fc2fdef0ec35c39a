import fc from "fast-check";
import { expect, test } from "vitest";
import type { Capture, Launch } from "./capture.ts";
import { buildProgram, type Operand, type Program } from "./program.ts";

const emptyModule = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));

function launch(reads: readonly number[], write: number, size = 16): Launch {
  return { module: emptyModule, reads, write, size, chunk: size };
}

function captureOf(
  launches: readonly Launch[],
  inputs: readonly number[],
  outputs: readonly number[],
): Capture {
  return { launches, inputs, outputs, outputSizes: outputs.map(() => 16) };
}

function stepsOf(program: Program): Operand[][] {
  return program.phases.flat().map((step) => [...step.operands]);
}

test("an address that the library used twice stands for two values", () => {
  const program = buildProgram(
    captureOf([launch([1], 10), launch([10], 20), launch([20], 10), launch([10], 30)], [1], [30]),
  );
  const [first, second, third, fourth] = stepsOf(program);
  expect(second?.[0]).toEqual(first?.[1]);
  expect(fourth?.[0]).toEqual(third?.[1]);
  expect(fourth?.[1]).toEqual({ kind: "output", index: 0 });
});

test("what depends on a late input moves into the second phase, in order", () => {
  const launches = [launch([2], 10), launch([1], 11), launch([10, 11], 12), launch([11], 13)];
  const program = buildProgram(captureOf(launches, [1, 2], [12, 13]), { lateInputs: [1] });
  expect(program.phases.map((phase) => phase.length)).toEqual([2, 2]);
  expect(program.phases[1][0]?.operands[0]).toEqual({ kind: "input", index: 1 });
});

test("an output written in place after its input was read is refused", () => {
  const read = launch([1, 2], 10);
  const write = launch([2], 11);
  const options = { writtenInPlace: [{ output: 0, input: 0 }] };
  expect(() => buildProgram(captureOf([read, write, launch([10], 12)], [1, 2], [11, 12]), options)).toThrow(
    "in place",
  );
  expect(() =>
    buildProgram(captureOf([write, read, launch([10], 12)], [1, 2], [11, 12]), options),
  ).not.toThrow();
});

test("a value that nobody made is a broken invariant", () => {
  expect(() => buildProgram(captureOf([launch([99], 10)], [1], [10]))).toThrow(
    "the value that a kernel reads",
  );
});

test("two values that are alive at once never share bytes", () => {
  const graphs = fc.array(
    fc.record({ size: fc.integer({ min: 1, max: 200 }), reads: fc.array(fc.nat(), { maxLength: 3 }) }),
    {
      minLength: 1,
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(graphs, (graph) => {
      const address = (index: number): number => 100 + index;
      const launches = graph.map(({ size, reads }, index) =>
        launch(index === 0 ? [1] : reads.map((read) => address(read % index)), address(index), size),
      );
      const program = buildProgram(captureOf(launches, [1], [address(graph.length - 1)]));
      expectNoOverlap(program);
    }),
  );
});

/** Follows every arena operand from the step that writes it to its last reader. */
function expectNoOverlap(program: Program): void {
  const steps = program.phases.flat();
  const owner = new Map<number, number>();
  for (const [time, step] of steps.entries()) {
    for (const operand of step.operands.slice(0, -1)) {
      if (operand.kind !== "arena") continue;
      const writer = steps.slice(0, time).findLastIndex(({ operands }) => {
        const written = operands.at(-1);
        return written?.kind === "arena" && written.offset === operand.offset;
      });
      // Whoever wrote these bytes last must still own all of them.
      for (let byte = 0; byte < (steps[writer]?.size ?? 0) * 4; byte += 4)
        expect(owner.get(operand.offset + byte)).toBe(writer);
    }
    const written = step.operands.at(-1);
    if (written?.kind !== "arena") continue;
    for (let byte = 0; byte < step.size * 4; byte += 4) owner.set(written.offset + byte, time);
    expect(written.offset + step.size * 4).toBeLessThanOrEqual(program.arenaBytes);
  }
}
