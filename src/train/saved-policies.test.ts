import { describe, expect, test } from "vitest";
import type { JsonValue } from "../base/index.ts";
import { listSavedPolicies, type SavedPolicy } from "./saved-policies.ts";
import { noEffects, type StepEffects } from "./step-effects.ts";

interface FakeStep {
  readonly result?: JsonValue;
  readonly effects: Partial<StepEffects>;
}

function policiesAfter(...steps: readonly FakeStep[]): SavedPolicy[] {
  const stored = steps.map(({ result = null, effects }) => ({
    result,
    effects: { ...noEffects, ...effects },
  }));
  return listSavedPolicies({ steps: () => stored });
}

const make = (policy: string): FakeStep => ({ effects: { made: { policy, sourceVersion: null } } });
const publish = (policy: string, number: number): FakeStep => ({
  result: `run:${policy}@${number}`,
  effects: {
    changed: [policy],
    saved: { [policy]: `${policy}-${number}` },
    versions: [{ policy, number, digest: null, folder: `${policy}-${number}` }],
  },
});

describe("what a run has kept", () => {
  test("versions are listed oldest first, policies as the run made them", () => {
    expect(
      policiesAfter(
        make("spin"),
        make("control"),
        publish("spin", 1),
        publish("spin", 2),
        publish("control", 1),
      ),
    ).toEqual([
      {
        name: "spin",
        weights: [
          { label: "version 1", checkpoint: "spin-1", isVersion: true },
          { label: "version 2", checkpoint: "spin-2", isVersion: true },
        ],
      },
      { name: "control", weights: [{ label: "version 1", checkpoint: "control-1", isVersion: true }] },
    ]);
  });

  test("a state that was trained on after the last version is the newest", () => {
    const trained: FakeStep = { effects: { changed: ["spin"], saved: { spin: "spin-9" } } };
    expect(policiesAfter(make("spin"), publish("spin", 1), trained)[0]?.weights.at(-1)).toEqual({
      label: "last state",
      checkpoint: "spin-9",
      isVersion: false,
    });
  });

  test("a policy of which nothing was saved is not listed", () => {
    expect(policiesAfter(make("spin"))).toEqual([]);
  });

  test("versions of a released model stay", () => {
    const release: FakeStep = { effects: { released: ["spin"] } };
    expect(policiesAfter(make("spin"), publish("spin", 1), release)[0]?.weights).toHaveLength(1);
  });
});
