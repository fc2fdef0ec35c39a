/**
 * The two games of the method. In one, somebody proposes a task, it is validated, and several answers tell how hard it is;
 * in the other, somebody solves a task. Execution is a service, so a play that was interrupted goes on from its record.
 */
import type { JsonValue } from "spar/base";
import { defineGame, type CallOutcome, type Game } from "spar/games";
import type { Verdict } from "spar/records";
import type { Judgement } from "./judge.ts";
import type { Measures } from "./measures.ts";
import type { Task, TaskType } from "./tasks.ts";
import type { Validation, ValidationStage } from "./validate.ts";
import type { Inspiration, Wording } from "./world.ts";

export const proposerSeat = "proposer";
export const solverSeat = "solver";

/** What came of a proposal. */
export type Proposed =
  | {
      readonly kind: "valid";
      readonly task: Task;
      readonly isWellFormed: boolean;
      /** Of the rollouts that could be judged. */
      readonly scores: readonly number[];
      readonly unjudgedCount: number;
      /** Different answers among the rollouts. */
      readonly answerCount: number;
      /** Null where no intrinsic reward asks for them. */
      readonly measures: Measures | null;
    }
  | { readonly kind: "invalid"; readonly stage: ValidationStage; readonly reason: string }
  /** No fault of the proposer: it is neither rewarded nor stored. */
  | { readonly kind: "neutral"; readonly reason: string };

export type Solved =
  | {
      readonly kind: "judged";
      readonly verdict: Verdict;
      readonly score: number;
      readonly isWellFormed: boolean;
    }
  | { readonly kind: "neutral"; readonly reason: string };

export interface GameOptions {
  readonly wording: Wording;
  readonly rolloutCount: number;
  readonly isMeasured: boolean;
}

/** Services: `validate`, `judge` and, where it is asked for, `measure`. */
export function proposingGame(options: GameOptions): Game<Inspiration, Proposed> {
  const { wording, rolloutCount, isMeasured } = options;
  return defineGame({
    id: "propose",
    seats: [proposerSeat, solverSeat],
    limits: { turns: 1 + rolloutCount, calls: 3, tokens: 100_000_000, timeMs: 86_400_000 },
    play: async (table, inspiration): Promise<Proposed> => {
      const { type } = inspiration;
      const reply = await table.ask(proposerSeat, {
        prompt: wording.proposerPrompt(inspiration),
        parse: (text) => wording.parseProposal(type, text),
        ...forced(wording),
      });
      if (reply.kind === "limit") return { kind: "neutral", reason: `no room to propose: ${reply.limit}` };
      const validation = outputOf<Validation | { readonly kind: "held-out" }>(
        await table.call("validate", { inspiration, proposal: reply.turn.parsed }),
      );
      if (validation.kind === "failed") return { kind: "neutral", reason: validation.reason };
      const { output } = validation;
      if (output.kind === "held-out") return { kind: "neutral", reason: "a held-out program" };
      if (output.kind === "error") return { kind: "neutral", reason: output.error };
      if (output.kind === "invalid") return { kind: "invalid", stage: output.stage, reason: output.reason };
      const { task, isWellFormed } = output;
      // Seeds are kept whatever they are worth.
      if (rolloutCount === 0)
        return {
          kind: "valid",
          task,
          isWellFormed,
          scores: [],
          unjudgedCount: 0,
          answerCount: 0,
          measures: null,
        };
      const replies = await table.askSiblings(solverSeat, rolloutCount, {
        prompt: wording.solverPrompt(type, task),
        parse: (text) => wording.parseAnswer(type, text).text,
        ...forced(wording),
      });
      const answers = replies.flatMap((one) => (one.kind === "turn" ? [one.turn.parsed] : []));
      if (answers.length === 0) return { kind: "neutral", reason: "no room to answer" };
      const judged = outputOf<readonly Judgement[]>(await table.call("judge", { type, task, answers }));
      if (judged.kind === "failed") return { kind: "neutral", reason: judged.reason };
      const measured = isMeasured
        ? outputOf<Measures | null>(await table.call("measure", { inspiration, task }))
        : null;
      const scores = judged.output.flatMap(({ verdict, score }) => (verdict.kind === "error" ? [] : [score]));
      return {
        kind: "valid",
        task,
        isWellFormed,
        scores,
        unjudgedCount: judged.output.length - scores.length,
        answerCount: new Set(answers).size,
        measures: measured?.kind === "output" ? measured.output : null,
      };
    },
  });
}

export type SolvingTask = { readonly type: TaskType; readonly task: Task };

/** Service: `judge`. */
export function solvingGame({ wording }: Pick<GameOptions, "wording">): Game<SolvingTask, Solved> {
  return defineGame({
    id: "solve",
    seats: [solverSeat],
    limits: { turns: 1, calls: 1, tokens: 100_000_000, timeMs: 86_400_000 },
    play: async (table, { type, task }): Promise<Solved> => {
      const reply = await table.ask(solverSeat, {
        prompt: wording.solverPrompt(type, task),
        parse: (text) => wording.parseAnswer(type, text),
        ...forced(wording),
      });
      if (reply.kind === "limit") return { kind: "neutral", reason: `no room to answer: ${reply.limit}` };
      const { text, isWellFormed } = reply.turn.parsed;
      const judged = outputOf<readonly Judgement[]>(
        await table.call("judge", { type, task, answers: [text] }),
      );
      const [judgement] = judged.kind === "output" ? judged.output : [];
      if (judgement === undefined)
        return { kind: "neutral", reason: judged.kind === "failed" ? judged.reason : "nothing was judged" };
      const { verdict, score } = judgement;
      if (verdict.kind === "error") return { kind: "neutral", reason: verdict.error };
      return { kind: "judged", verdict, score, isWellFormed };
    },
  });
}

function forced({ opening }: Wording): { readonly force?: string } {
  return opening === "" ? {} : { force: opening };
}

/** What a service of ours returned, in its own type. */
function outputOf<Output extends JsonValue>(
  outcome: CallOutcome,
):
  | { readonly kind: "output"; readonly output: Output }
  | { readonly kind: "failed"; readonly reason: string } {
  switch (outcome.kind) {
    case "output":
      return { kind: "output", output: outcome.output as Output };
    case "failure":
      return { kind: "failed", reason: outcome.message };
    case "limit":
      return { kind: "failed", reason: `the limit of ${outcome.limit} was reached` };
  }
}
