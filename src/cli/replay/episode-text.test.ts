import { describe, expect, test } from "vitest";
import type { RecordedEpisode, Turn } from "../../records/index.ts";
import { createStyle } from "../terminal/style.ts";
import { episodeLines } from "./episode-text.ts";

const player = {
  kind: "live",
  name: "solver",
  version: { modelId: "spin", number: 2, address: "run:spin@2", digest: null },
} as const;

const turn: Turn = {
  id: "play#0:1.0",
  episodeId: "play#0",
  seat: "author",
  sequence: 1,
  siblingIndex: 0,
  contextParent: null,
  player,
  spans: [
    { kind: "rendered", tokenIds: [1, 2, 3] },
    { kind: "sampled", tokenIds: [4, 5] },
  ],
  logprobs: Float32Array.of(-0.25, -0.75),
  sampling: null,
  finishReason: "stop",
  text: "19\u001b[2J",
  parsed: { answer: 19 },
  durationMs: 12,
};

const episode: RecordedEpisode = {
  start: {
    id: "play#0",
    game: "answer",
    taskId: "t7",
    task: { prompt: "12+7=" },
    groupId: "g",
    stepName: "play",
    seed: 3,
    seats: { author: player },
    limits: { turns: 1, calls: 1, tokens: 10, timeMs: 1000 },
  },
  end: { kind: "finished", outcome: "19" },
  turns: [{ turn, ask: "", elapsedMs: 0 }],
  calls: [
    {
      call: {
        id: "play#0:0",
        episodeId: "play#0",
        sequence: 0,
        service: "python",
        input: "1+1",
        output: null,
        failure: { code: "timeout", boundary: "service", message: "too slow", retryable: true },
        durationMs: 900,
      },
      elapsedMs: 0,
    },
  ],
  refusals: [],
};

const options = { annotations: [], decode: null, style: createStyle(false) };

describe("an episode as text", () => {
  test("turns and calls stand in the order of the game, with what happened", () => {
    expect(episodeLines(episode, options)).toEqual([
      "episode play#0",
      "game answer, task t7, group g, seed 3",
      'task: {"prompt":"12+7="}',
      "seats:",
      "  author: solver (live, spin version 2)",
      "",
      "[0] call python 0.9 s",
      '    input: "1+1"',
      "    failed at service (timeout): too slow",
      "",
      "[1] author 2 tokens, mean log-probability -0.500, stop, 0.0 s",
      "    prompt: 3 tokens",
      "    19\\u001b[2J",
      '    parsed: {"answer":19}',
      "",
      'outcome: "19"',
    ]);
  });

  test("prompts are shown as text where a tokenizer is at hand", () => {
    const lines = episodeLines(episode, { ...options, decode: (tokenIds) => `<${tokenIds.join(" ")}>` });
    expect(lines).toContain("    prompt: <1 2 3>");
  });

  test("verdicts and rewards stand where they belong", () => {
    const lines = episodeLines(episode, {
      ...options,
      annotations: [
        {
          kind: "verdict",
          name: "check",
          target: { kind: "turn", turnId: turn.id },
          verdict: { kind: "fail", reason: "off by one" },
        },
        {
          kind: "reward",
          name: "reward",
          target: { kind: "episode", episodeId: "play#0" },
          components: { right: 1, format: -0.5 },
        },
      ],
    });
    expect(lines).toContain("    check: fail (off by one)");
    expect(lines.at(-2)).toBe("reward: 0.5 = right 1 + format -0.5");
  });

  test("an episode that was interrupted says that it goes on", () => {
    expect(episodeLines({ ...episode, end: null }, options).at(-1)).toMatch(
      /goes on when the run is resumed/u,
    );
  });
});
