/** The teaching recipe learns, on the exact fake engine, so that it can be trusted as an example. */
import { createFakeEngine } from "spar/testing";
import { expect, test } from "vitest";
import { learnNim, nimDefaults, type NimSkill } from "./nim.ts";

test("self-play from random weights finds legal moves, then winning ones", async () => {
  const engine = createFakeEngine({});
  const skills: NimSkill[] = [];
  const options = { ...nimDefaults, updates: 60, gamesPerUpdate: 96, learningRate: 0.01 };
  const last = await learnNim(engine, options, (_update, skill) => skills.push(skill));
  await engine.close();
  expect(last.legalMoves).toBeGreaterThan(0.85);
  expect(last.winningMoves).toBeGreaterThan((skills[0]?.winningMoves ?? 1) + 0.2);
});
