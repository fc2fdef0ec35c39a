/** Who knows what: that positions tell what they should, and that nobody reads what is another's secret. */
import { expect } from "vitest";
import { createRandom, type JsonValue, type Random } from "../../base/index.ts";
import {
  nextNode,
  type DecisionNode,
  type Match,
  type TreeNode,
  type TreePath,
  type TreeServices,
} from "../../games/index.ts";
import { matchTest, type GameTest } from "./game-test.ts";
import { endOf, type Dealt, type Play, type Secret } from "./game-under-test.ts";
import type { AskEvent } from "./watched-game.ts";

const playCount = 100;

const needs =
  (information: "perfect" | "hidden") =>
  (match: Pick<Match, "facts">): string | null =>
    match.facts.information === information ? null : `its information is ${match.facts.information}`;

export const knowledgeTests: readonly GameTest[] = [
  matchTest({
    title: "with perfect information a position determines what follows",
    skip: needs("perfect"),
    run: async (game, match) => {
      const { services = {} } = game.options;
      for (const task of game.tasks) {
        const places = new Map<string, { readonly path: TreePath; readonly node: DecisionNode }>();
        const random = createRandom(1);
        for (let walk = 0; walk < playCount; walk++)
          for (const place of await randomWalk({ match, task, services }, random.split(walk))) {
            const key = `${place.node.seat}: ${place.node.position}`;
            const earlier = places.get(key);
            if (earlier === undefined) places.set(key, place);
            else await expectSameFuture({ match, task, services, places: [earlier, place] });
          }
      }
    },
  }),
  matchTest({
    title: "with hidden information equal positions of a seat come with equal words and choices",
    skip: needs("hidden"),
    run: async (game) => {
      const asks = new Map<string, AskEvent>();
      for await (const play of game.plays(playCount))
        for (const ask of play.watch.asks) {
          if (ask.position === null) continue;
          const key = JSON.stringify([play.task, ask.seat, ask.position]);
          const earlier = asks.get(key) ?? ask;
          asks.set(key, earlier);
          const place = `position "${ask.position}" of ${ask.seat}`;
          expect(ask.words, `what is read in ${place}`).toEqual(earlier.words);
          expect(ask.choices, `the choices in ${place}`).toEqual(earlier.choices);
        }
    },
  }),
  {
    title: "what is secret is read by somebody, and never by a seat that must not",
    skip: ({ match, options }) => {
      if (match !== null) return needs("hidden")(match);
      return options.secrets === undefined ? "no `secrets` were passed" : null;
    },
    run: async (game) => {
      const { secrets } = game.options;
      if (secrets === undefined) expect.fail("pass `secrets`: who must not read which words");
      let shownCount = 0;
      for await (const play of game.plays(playCount)) {
        endOf(play);
        shownCount += checkSecrets(play, secrets);
      }
      expect(
        shownCount,
        "no planted word was read by any seat: name words that the game holds",
      ).toBeGreaterThan(0);
    },
  },
];

interface Walked<Task extends JsonValue> {
  readonly match: Match<Task>;
  readonly task: Task;
  readonly services: TreeServices;
}

/** The decisions of one random play, with the paths that lead to them. */
async function randomWalk<Task extends JsonValue>(
  { match, task, services }: Walked<Task>,
  random: Random,
): Promise<{ readonly path: TreePath; readonly node: DecisionNode }[]> {
  const places: { readonly path: TreePath; readonly node: DecisionNode }[] = [];
  const path: (string | number)[] = [];
  for (;;) {
    const node = await nextNode(match, task, path, { services });
    if (node.kind === "end") return places;
    if (node.kind === "decision") places.push({ path: path.slice(), node });
    path.push(node.kind === "chance" ? random.integer(node.count) : random.pick(node.choices));
  }
}

async function expectSameFuture<Task extends JsonValue>(
  options: Walked<Task> & {
    readonly places: readonly { readonly path: TreePath; readonly node: DecisionNode }[];
  },
): Promise<void> {
  const { match, task, services } = options;
  const futures = options.places.map(async ({ path, node }) => {
    const next = node.choices.map(async (choice) =>
      describeNode(await nextNode(match, task, [...path, choice], { services })),
    );
    return { choices: node.choices, next: await Promise.all(next) };
  });
  const [first, second] = await Promise.all(futures);
  const [{ node, path } = { node: null, path: [] }] = options.places;
  expect(
    second,
    `position "${node?.position}" of ${node?.seat}, first reached by ${path.join(", ")}`,
  ).toEqual(first);
}

/** All of a place but the words, those of its end among them, which may tell how it was reached. */
function describeNode(node: TreeNode): JsonValue {
  if (node.kind === "end") {
    const { returns, forfeitedBy, how } = node.outcome;
    return { kind: "end", outcome: { returns, forfeitedBy, how } };
  }
  if (node.kind === "chance") return { kind: "chance", label: node.label, count: node.count };
  const { kind, seat, position, choices } = node;
  return { kind, seat, position, choices };
}

/** How many planted words were read by seats that may; fails where another reads one. */
function checkSecrets<Task extends JsonValue>(
  play: Play & { readonly task: Task },
  secrets: (dealt: Dealt<Task>) => readonly Secret[],
): number {
  const draws: Record<string, unknown> = {};
  const replies: { readonly seat: string; readonly text: string }[] = [];
  let shownCount = 0;
  for (const event of play.watch.events) {
    if (event.kind === "draw") draws[event.label] = event.outcome;
    if (event.kind === "reply" && event.reply.kind === "turn")
      replies.push({ seat: event.seat, text: event.reply.turn.text });
    if (event.kind !== "ask") continue;
    const text = wordsRead(event);
    for (const { hiddenFrom, words } of secrets({ task: play.task, draws, replies }))
      for (const word of words) {
        if (!text.includes(word)) continue;
        if (hiddenFrom === event.seat)
          expect.fail(`the seat ${event.seat} reads "${word}", which is hidden from it, in:\n${text}`);
        shownCount++;
      }
  }
  return shownCount;
}

function wordsRead({ words }: AskEvent): string {
  return words.map((segment) => (segment.kind === "text" ? segment.text : segment.imageDigest)).join("\n");
}
