/**
 * The table on which one path through a match is played: it answers with the replies and draws of the
 * path and stops where the path ends. It needs nothing of a game but `play`. Refuses what has no exact
 * tree: several asks at once, services that it was not given, chance that cannot be listed.
 */
import { copyJson, present, type JsonValue, type Random, type SparError } from "../../base/index.ts";
import type { EpisodeLimits } from "../../records/index.ts";
import type { Ask, CallOutcome, Reply, Segment, Table } from "../game.ts";
import type { Match } from "../match.ts";
import type { ChanceNode, DecisionNode, TreePath, TreeServices } from "./nodes.ts";
import { treeError, type TreeErrorCode } from "./tree-errors.ts";

interface Link {
  readonly before: string | null;
  readonly words: readonly Segment[];
}

export class PathTable implements Table {
  readonly #match: Pick<Match, "id" | "seats" | "limits">;
  readonly #path: TreePath;
  readonly #services: TreeServices;
  readonly #stop = Promise.withResolvers<void>();
  readonly #links = new Map<string, Link>();
  readonly #draws = new Map<string, { readonly index: number; readonly count: number }>();
  #nextStep = 0;
  #turnCount = 0;
  #isAnswerUnderWay = false;
  #node: DecisionNode | ChanceNode | null = null;
  #problem: SparError | null = null;

  constructor(match: Pick<Match, "id" | "seats" | "limits">, path: TreePath, services: TreeServices) {
    this.#match = match;
    this.#path = path;
    this.#services = services;
  }

  /** Resolves where the path ends before the match, or where the match was refused. */
  get stopped(): Promise<void> {
    return this.#stop.promise;
  }

  /** Where the match stands; null where it went on to its end. @throws `no-exact-tree` */
  get node(): DecisionNode | ChanceNode | null {
    if (this.#problem !== null) throw this.#problem;
    return this.#node;
  }

  /** How much of the path was played. */
  get playedStepCount(): number {
    return this.#nextStep;
  }

  get left(): EpisodeLimits {
    const { limits } = this.#match;
    return { ...limits, turns: limits.turns - this.#turnCount };
  }

  ask<Parsed extends JsonValue>(seat: string, ask: Ask<Parsed>): Promise<Reply<Parsed>> {
    this.#checkOneAtATime(`asked seat ${seat}`);
    if (!this.#match.seats.includes(seat))
      this.#refuse("no-exact-tree", `asked the seat ${seat}, which it does not have`);
    if (this.#turnCount >= this.#match.limits.turns)
      return Promise.resolve({ kind: "limit", limit: "turns" });
    const text = this.#path[this.#nextStep];
    if (text === undefined) return this.#stopAt(this.#decision(seat, ask));
    if (typeof text === "number")
      this.#refuse("no-exact-tree", `asked seat ${seat} where the path goes on with a draw`);
    this.#nextStep++;
    this.#isAnswerUnderWay = true;
    const answer = Promise.resolve(this.#answer(ask, text));
    // Runs before whatever the game does with the answer.
    void answer.then(() => {
      this.#isAnswerUnderWay = false;
    });
    return answer;
  }

  draw<Outcome>(label: string, outcomes: readonly Outcome[]): Outcome {
    this.#checkOneAtATime(`drew ${label}`);
    const count = outcomes.length;
    if (count === 0) this.#refuse("no-exact-tree", `drew ${label} from no outcomes`);
    const index = this.#drawnIndex(label, count);
    if (index === null) {
      this.#node = { kind: "chance", label, count };
      this.#stop.resolve();
      // A draw answers at once, so only this ends the play; nobody sees it but a game that catches all.
      throw treeError("no-exact-tree", "the path through the tree ends here");
    }
    return present(outcomes[index], `outcome ${index} of ${label}`);
  }

  askSiblings<Parsed extends JsonValue>(seat: string, count: number): Promise<readonly Reply<Parsed>[]> {
    return this.#refuse("no-exact-tree", `asked seat ${seat} for ${count} siblings`);
  }

  call(service: string, input: JsonValue): Promise<CallOutcome> {
    this.#checkOneAtATime(`called the service ${service}`);
    const perform = Object.hasOwn(this.#services, service) ? this.#services[service] : undefined;
    if (perform === undefined) return this.#refuse("no-exact-tree", `called the service ${service}`);
    this.#isAnswerUnderWay = true;
    return perform(copyJson(input), {}).then(
      (output) => {
        this.#isAnswerUnderWay = false;
        return { kind: "output", output: copyJson(output) };
      },
      (thrown: unknown) => {
        // Whatever the game would make of it: an analysis of failures is none of the game.
        this.#stop.reject(thrown);
        throw thrown;
      },
    );
  }

  random(label: string): Random {
    return this.#refuse("no-exact-tree", `used table.random(${label}), whose outcomes cannot be listed`);
  }

  /** The same label gives the same outcome, as on every table. */
  #drawnIndex(label: string, count: number): number | null {
    const earlier = this.#draws.get(label);
    if (earlier !== undefined) {
      if (earlier.count !== count)
        this.#refuse(
          "no-exact-tree",
          `drew ${label} twice, from ${earlier.count} and from ${count} outcomes`,
        );
      return earlier.index;
    }
    const index = this.#path[this.#nextStep];
    if (index === undefined) return null;
    if (typeof index === "string" || index < 0 || index >= count)
      this.#refuse(
        "no-exact-tree",
        `drew ${label} from ${count} outcomes where the path goes on with ${index}`,
      );
    this.#nextStep++;
    this.#draws.set(label, { index, count });
    return index;
  }

  #answer<Parsed extends JsonValue>(ask: Ask<Parsed>, text: string): Reply<Parsed> {
    const turnId = `turn ${this.#turnCount++}`;
    const words: Segment[] = [...ask.prompt, { kind: "text", role: "assistant", text }];
    this.#links.set(turnId, { before: ask.from?.turnId ?? null, words });
    return {
      kind: "turn",
      turn: { turnId, text, parsed: ask.parse(text), finishReason: "stop", meanLogprob: null },
    };
  }

  #decision<Parsed extends JsonValue>(seat: string, ask: Ask<Parsed>): DecisionNode {
    const { position, choices, prompt } = ask;
    if (position === undefined) this.#refuse("no-exact-tree", `asked seat ${seat} without a position`);
    if (choices === undefined || choices.length === 0)
      this.#refuse("no-exact-tree", `asked seat ${seat} without choices`);
    if (new Set(choices).size < choices.length)
      this.#refuse("no-exact-tree", `asked seat ${seat} with a choice twice: ${choices.join(", ")}`);
    return {
      kind: "decision",
      seat,
      position,
      prompt,
      context: this.#contextOf(ask.from?.turnId ?? null),
      choices,
      maxTokens: ask.maxTokens ?? null,
      stopStrings: ask.stopStrings ?? [],
      force: ask.force ?? null,
    };
  }

  #contextOf(turnId: string | null): Segment[] {
    const parts: (readonly Segment[])[] = [];
    for (let id = turnId; id !== null;) {
      const link: Link = present(this.#links.get(id), `turn ${id} of this play`);
      parts.push(link.words);
      id = link.before;
    }
    return parts.toReversed().flat();
  }

  /** Whoever is asked here is never answered: the play is dropped. */
  #stopAt(node: DecisionNode): Promise<never> {
    this.#node = node;
    this.#stop.resolve();
    return new Promise<never>(() => undefined);
  }

  #checkOneAtATime(did: string): void {
    if (this.#problem !== null) throw this.#problem;
    if (this.#isAnswerUnderWay || this.#node?.kind === "decision")
      this.#refuse("no-exact-tree", `${did} before an earlier ask was answered`);
  }

  #refuse(code: TreeErrorCode, did: string): never {
    this.#problem ??= treeError(code, `expected a game with an exact tree, ${this.#match.id} ${did}`);
    this.#stop.resolve();
    throw this.#problem;
  }
}
