/** The list world says the same in letters, in Python and in TypeScript. */
import { createRandom } from "spar/base";
import { openPythonSandbox, pyodideBackend, type PythonSandbox } from "spar/verifiers/python";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { bannedModules } from "./banned-modules.ts";
import { judgeAnswer } from "./judge.ts";
import {
  applyLetters,
  digitsOfValue,
  inductionTaskOf,
  letters,
  lettersOf,
  programOf,
  randomDigits,
  randomLetters,
  tripletOf,
} from "./list-programs.ts";
import { heldOutPrograms, listWorld, proposerText, solverText } from "./list-world.ts";
import { identityProgram, type Task, type TaskType } from "./tasks.ts";
import { validate } from "./validate.ts";

vi.setConfig({ testTimeout: 60_000 });

let sandbox: PythonSandbox;
beforeAll(async () => {
  sandbox = await openPythonSandbox({ backend: pyodideBackend(), workerCount: 1 });
}, 240_000);
afterAll(async () => sandbox.close());

const options = { inputCount: 4, referenceCount: 1 };
const world = listWorld(options, createRandom(1));

test("Python and the rows of the warm-up agree on every statement and on chains of them", async () => {
  const random = createRandom(2);
  const texts = [
    ...letters,
    ...Array.from({ length: 8 }, (_value, index) => randomLetters(random.split(index), 4)),
  ];
  for (const text of texts) {
    const digits = randomDigits(random);
    const request = { program: programOf(text), query: `f([${[...digits].join()}])` };
    const execution = await sandbox.run(request);
    const value = execution.kind === "value" ? execution.value : null;
    expect(digitsOfValue(value), `${text} of ${digits}`).toBe(
      applyLetters(text, [...digits].map(Number)).join(""),
    );
  }
});

test("prompts are as short as they can be", () => {
  const triplet = tripletOf("rs", "3142");
  const cases = inductionTaskOf("rs", ["3142", "9876", "1111", "2222"]);
  expect(proposerText({ type: "deduction", references: [triplet] })).toBe("Drs3142|");
  expect(proposerText({ type: "abduction", references: [] })).toBe("A");
  expect(proposerText({ type: "induction", program: triplet.program })).toBe("Irs..");
  expect(solverText("deduction", triplet)).toBe("drs..3142");
  expect(solverText("abduction", triplet)).toBe("ars..1234");
  expect(solverText("induction", cases)).toBe("i31421234|98766789|2");
  expect(lettersOf(identityProgram)).toBe("");
});

test.each(["deduction", "abduction", "induction"] as const)(
  "a random proposal for %s is valid",
  async (type) => {
    const inspiration =
      type === "induction"
        ? { type, program: programOf("tw") }
        : { type, references: [tripletOf("n", "0123")] };
    const reply = world.randomProposal(inspiration, createRandom(3));
    const limits = { timeMs: 2000 };
    const rules = { bannedModules, acceptsNone: false, maxOutputCharacters: 100 };
    const validation = await validate({ sandbox, limits }, rules, world.parseProposal(type, reply), {
      program: programOf("tw"),
    });
    expect(validation).toMatchObject({ kind: "valid", isWellFormed: true });
    for (const [prompt, answer] of [
      [world.proposerPrompt(inspiration), reply],
      [world.solverPrompt(type, validation.kind === "valid" ? validation.task : tripletOf("r", "1")), "rtwp"],
    ] as const) {
      const text = prompt.map((segment) => (segment.kind === "text" ? segment.text : "")).join("");
      const { length } = world.tokenizer.encode(text + answer);
      expect(length).toBeLessThan(world.contextLength);
    }
  },
);

test.each<[TaskType, string, boolean]>([
  ["deduction", "1234", true],
  ["deduction", "1243", false],
  ["deduction", "123", false],
  ["deduction", "rs", false],
  ["abduction", "4231", true],
  ["abduction", "9999", false],
  ["induction", "rs", true],
  ["induction", "s", true],
  ["induction", "r", false],
  ["induction", "rsrsr", false],
  ["induction", "", false],
])("%s by %s: %s", async (type, reply, isRight) => {
  const task: Task =
    type === "induction" ? inductionTaskOf("rs", ["3142", "9876", "1010", "2332"]) : tripletOf("rs", "3142");
  const parsed = world.parseAnswer(type, reply);
  const { score } = await judgeAnswer(
    { sandbox, limits: {} },
    { type, task, inductionScore: "all" },
    parsed.text,
  );
  expect(score).toBe(isRight ? 1 : 0);
});

test.each(["", "rs", "rs:314", "rs:31422", "xy:3142", "rstwp:3142", ":3142", "rs:3142:"])(
  "%j is no proposal",
  (reply) => {
    expect(world.parseProposal("deduction", reply).kind).toBe("unreadable");
    expect(world.parseProposal("induction", reply).kind).toBe("unreadable");
  },
);

test("held-out programs are the same for the same seed, leave every tier filled, and are never proposed at random", () => {
  const kept = heldOutPrograms(createRandom(1));
  expect([...kept].map(([depth, programs]) => [depth, programs.length])).toEqual([
    [2, 16],
    [3, 48],
    [4, 48],
  ]);
  expect(kept).toEqual(heldOutPrograms(createRandom(1)));
  expect(world.isHeldOut(tripletOf(kept.get(2)?.[0] ?? "", "1234"))).toBe(true);
  const all = new Set([...kept.values()].flat());
  for (let draw = 0; draw < 300; draw++) {
    const reply = world.randomProposal({ type: "deduction", references: [] }, createRandom(draw));
    expect(all.has(reply.split(":")[0] ?? "")).toBe(false);
  }
});
