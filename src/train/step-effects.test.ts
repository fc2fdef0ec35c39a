import fc from "fast-check";
import { expect, test } from "vitest";
import {
  noEffects,
  publicVersion,
  resumableStepCount,
  Standing,
  versionsNamedIn,
  type StepEffects,
  type StoredVersion,
} from "./step-effects.ts";

const version = (policy: string, number: number, folder = `${policy}-${number}`): StoredVersion => ({
  policy,
  number,
  digest: "d",
  folder,
});
const step = (
  effects: Partial<StepEffects>,
  result: unknown = null,
): { result: never; effects: StepEffects } => ({
  result: result as never,
  effects: { ...noEffects, ...effects },
});
const made = (policy: string, sourceVersion: string | null = null) =>
  step({ made: { policy, sourceVersion } });

function standingAfter(...steps: readonly { result: never; effects: StepEffects }[]): Standing {
  const standing = new Standing();
  for (const { result, effects } of steps) standing.apply(result, effects);
  return standing;
}

test("a run resumes at the last commit after which every model is saved", () => {
  const trained = step({ changed: ["a"] });
  const saved = step({ changed: ["a"], saved: { a: "a-2" } });
  expect(resumableStepCount([made("a")])).toBe(1);
  expect(resumableStepCount([made("a"), trained])).toBe(1);
  expect(resumableStepCount([made("a"), trained, saved])).toBe(3);
  expect(
    resumableStepCount([made("a"), trained, step({})]),
    "a step after an unsaved one is repeated too",
  ).toBe(1);
  expect(
    resumableStepCount([
      made("a"),
      saved,
      made("b"),
      step({ changed: ["b"] }),
      step({ changed: ["a"], saved: { a: "x" } }),
    ]),
  ).toBe(3);
  expect(
    resumableStepCount([made("a"), trained, step({ released: ["a"] })]),
    "a released model needs no saving",
  ).toBe(3);
});

test("a version is kept while a result or a state names it, or an unsaved model begins from it", () => {
  const first = version("a", 1);
  const named = step({ versions: [first] }, { deep: [publicVersion(first)] });
  expect(standingAfter(made("a"), named).neededFolders()).toEqual(new Set(["a-1"]));
  expect(
    standingAfter(made("a"), step({ versions: [first] })).neededFolders(),
    "nobody can ask for it",
  ).toEqual(new Set());
  const inState = step({ versions: [first], states: { pool: [publicVersion(first) as never] } });
  expect(standingAfter(inState).neededFolders()).toEqual(new Set(["a-1"]));
  expect(standingAfter(inState, step({ states: { pool: [] } })).neededFolders()).toEqual(new Set());
  const dropped = step({ droppedVersions: ["run:a@1"] });
  expect(standingAfter(named, dropped).neededFolders()).toEqual(new Set());
  expect(standingAfter(named, made("b", "run:a@1"), dropped).neededFolders()).toEqual(new Set(["a-1"]));
  expect(
    standingAfter(
      named,
      made("b", "run:a@1"),
      step({ changed: ["b"], saved: { b: "b-4" } }),
      dropped,
    ).neededFolders(),
  ).toEqual(new Set(["b-4"]));
});

test("a version that was dropped while a model still began from it goes once that is saved", () => {
  const named = step({ versions: [version("a", 1)] }, { deep: [publicVersion(version("a", 1))] });
  const dropped = step({ droppedVersions: ["run:a@1"] });
  const standing = standingAfter(named, made("b", "run:a@1"), dropped, step({}), step({}));
  expect(standing.neededFolders()).toEqual(new Set(["a-1"]));
  standing.apply(null, step({ changed: ["b"], saved: { b: "b-4" } }).effects);
  expect(standing.neededFolders()).toEqual(new Set(["b-4"]));
});

test("numbers of versions rise, also over those that nobody needs any more", () => {
  const standing = standingAfter(made("a"), step({ versions: [version("a", 1), version("a", 2)] }));
  expect(standing.nextNumber("a")).toBe(3);
  expect(standing.nextNumber("b")).toBe(1);
});

test("saves are counted from the last moment at which everything was saved", () => {
  const trained = step({ changed: ["a"] });
  const standing = standingAfter(made("a"), trained, trained);
  expect(standing.changesSinceSave).toBe(2);
  standing.apply(null, step({ changed: ["a"], saved: { a: "a-3" } }).effects);
  expect(standing.changesSinceSave).toBe(0);
});

test("versions are found wherever a value names them, and nothing else is", () => {
  const address = fc
    .tuple(fc.stringMatching(/^[a-z]{1,5}$/), fc.nat({ max: 99 }))
    .map(([policy, number]) => `run:${policy}@${number}`);
  fc.assert(
    fc.property(fc.array(address), fc.json(), (addresses, noise) => {
      const value = {
        noise: JSON.parse(noise.replaceAll("run:", "")),
        list: addresses.map((one) => [{ version: { address: one } }]),
      };
      expect(versionsNamedIn(value)).toEqual(new Set(addresses));
    }),
  );
});
