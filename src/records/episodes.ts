/** Episodes and what is appended about them later: annotations, verdicts, rewards. Plain data. */
import type { JsonValue } from "../base/index.ts";
import type { Failure, PlayerReference } from "./turns.ts";

/** Bounds of one episode; what is left out is unbounded only where the game itself is bounded. */
export interface EpisodeLimits {
  readonly turns: number;
  readonly calls: number;
  readonly tokens: number;
  readonly timeMs: number;
}

/** One play of a game on one task, as it began. */
export interface EpisodeStart {
  readonly id: string;
  readonly game: string;
  readonly taskId: string;
  readonly task: JsonValue;
  /** Episodes that share what a baseline is taken over. */
  readonly groupId: string;
  /** The step of the recipe that plays it. */
  readonly stepName: string;
  readonly seed: number;
  readonly seats: Readonly<Record<string, PlayerReference>>;
  readonly limits: EpisodeLimits;
}

/** How an episode ended. */
export type EpisodeEnd =
  | { readonly kind: "finished"; readonly outcome: JsonValue }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Whether an answer was right. An error is a fault of the checker alone, never a reward of 0. */
export type Verdict =
  | { readonly kind: "pass" }
  | { readonly kind: "fail"; readonly reason: string }
  | { readonly kind: "error"; readonly error: string };

/** What a sandbox returned; a verdict is made from it. */
export type Execution =
  | { readonly kind: "value"; readonly value: JsonValue; readonly output: string }
  | { readonly kind: "exception"; readonly name: string; readonly message: string; readonly output: string }
  | { readonly kind: "limit"; readonly limit: "time" | "memory" | "output" };

/** What a record that was appended later points at. */
export type AnnotationTarget =
  | { readonly kind: "turn"; readonly turnId: string }
  | { readonly kind: "seat"; readonly episodeId: string; readonly seat: string }
  | { readonly kind: "episode"; readonly episodeId: string };

/** Something said later about a turn, seat or episode; of equal target and name the last counts. */
export type Annotation =
  | {
      readonly kind: "value";
      readonly target: AnnotationTarget;
      readonly name: string;
      readonly value: JsonValue;
    }
  | {
      readonly kind: "verdict";
      readonly target: AnnotationTarget;
      readonly name: string;
      readonly verdict: Verdict;
    }
  | {
      readonly kind: "reward";
      readonly target: AnnotationTarget;
      readonly name: string;
      /** Named components; the reward is their sum. */
      readonly components: Readonly<Record<string, number>>;
    };
