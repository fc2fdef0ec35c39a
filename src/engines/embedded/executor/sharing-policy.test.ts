import { expect, test } from "vitest";
import { SharingPolicy } from "./sharing-policy.ts";

/** Share of launches that are shared, where sharing takes `shared` and one thread takes `alone` milliseconds. */
function sharedPart(policy: SharingPolicy, { shared, alone }: { shared: number; alone: number }): number {
  const launches = 20_000;
  let count = 0;
  for (let launch = 0; launch < launches; launch += 1) {
    const isShared = policy.shallShare;
    if (isShared) count += 1;
    policy.record(isShared ? shared : alone, 1);
  }
  return count / launches;
}

test("helpers that help are used nearly always", () => {
  expect(sharedPart(new SharingPolicy(), { shared: 0.55, alone: 1 })).toBeGreaterThan(0.95);
});

test("helpers that are not scheduled are left alone, and tried again when the machine is free", () => {
  const policy = new SharingPolicy();
  expect(sharedPart(policy, { shared: 4, alone: 1.5 })).toBeLessThan(0.05);
  expect(sharedPart(policy, { shared: 0.6, alone: 1 })).toBeGreaterThan(0.75);
});
