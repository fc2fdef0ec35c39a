import { describe, expect, test } from "vitest";
import type { ImageChunk } from "../contract/index.ts";
import type { Span, Turn } from "../records/index.ts";
import { contextChain, datumFromTurns } from "./index.ts";

const padAndStop = 0;

interface Facts {
  readonly id: string;
  readonly parent?: string;
  readonly spans: readonly Span[];
  readonly logprobs?: readonly number[];
}

function turn({ id, parent, spans, logprobs = [] }: Facts): Turn {
  return {
    id,
    episodeId: "episode",
    seat: "solver",
    sequence: 0,
    siblingIndex: 0,
    contextParent: parent ?? null,
    player: { kind: "live", name: "policy", version: null },
    spans,
    logprobs: Float32Array.from(logprobs),
    sampling: null,
    finishReason: "stop",
    text: "",
    parsed: null,
    durationMs: 0,
  };
}

// The stop token is also the padding token and closes the prompt's turns: only the sampled one counts.
const first = turn({
  id: "first",
  spans: [
    { kind: "rendered", tokenIds: [1, 2, padAndStop] },
    { kind: "forced", tokenIds: [7] },
    { kind: "sampled", tokenIds: [3, 4, padAndStop] },
  ],
  logprobs: [-1, -2, -3],
});
const second = turn({
  id: "second",
  parent: "first",
  spans: [
    { kind: "rendered", tokenIds: [5, padAndStop] },
    { kind: "sampled", tokenIds: [6, padAndStop] },
  ],
  logprobs: [-4, -5],
});

describe("datumFromTurns", () => {
  test("trains sampled ids and the sampled stop token; rendered and forced ids are context, pad == eos or not", () => {
    const datum = datumFromTurns([first, second]);
    expect(datum.input).toEqual([{ kind: "tokens", tokenIds: [1, 2, 0, 7, 3, 4, 0, 5, 0, 6] }]);
    expect([...datum.targets]).toEqual([2, 0, 7, 3, 4, 0, 5, 0, 6, 0]);
    expect([...datum.weights]).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 1, 1]);
    expect([...(datum.behaviorLogprobs ?? [])]).toEqual([0, 0, 0, -1, -2, -3, 0, 0, -4, -5]);
    expect(datum.advantages).toBeUndefined();
    expect(datum.origin).toEqual({ turnIds: ["first", "second"], isReplayed: false });
  });

  test("trains only the turns that it is told to, with their weight and advantage", () => {
    const datum = datumFromTurns([first, second], {
      train: (candidate) => candidate.id === "second",
      weight: 0.25,
      advantages: () => Float32Array.of(2, -1),
      groupId: "group",
      isReplayed: true,
    });
    expect([...datum.weights]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.25]);
    expect([...(datum.advantages ?? [])]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 2, -1]);
    expect([...(datum.behaviorLogprobs ?? [])].slice(0, 8)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect([datum.groupId, datum.origin]).toEqual(["group", { turnIds: ["second"], isReplayed: true }]);
  });

  test("gives each turn its own weight and spreads a single advantage over its sampled tokens", () => {
    const datum = datumFromTurns([first, second], {
      weight: (of) => (of.id === "first" ? 2 : 3),
      advantages: (of) => (of.id === "first" ? 0.5 : -0.5),
    });
    expect([...datum.weights]).toEqual([0, 0, 0, 2, 2, 2, 0, 0, 3, 3]);
    expect([...(datum.advantages ?? [])]).toEqual([0, 0, 0, 0.5, 0.5, 0.5, 0, 0, -0.5, -0.5]);
  });

  test("aligns log-probabilities of a turn that was sampled in two stretches around a forced one", () => {
    const split = turn({
      id: "split",
      spans: [
        { kind: "rendered", tokenIds: [1] },
        { kind: "sampled", tokenIds: [2, 3] },
        { kind: "forced", tokenIds: [4] },
        { kind: "sampled", tokenIds: [5] },
      ],
      logprobs: [-1, -2, -3],
    });
    const datum = datumFromTurns([split], { advantages: 1 });
    expect([...datum.weights]).toEqual([1, 1, 0, 1]);
    expect([...(datum.behaviorLogprobs ?? [])]).toEqual([-1, -2, 0, -3]);
  });

  test("gives image positions target 0 and weight 0, and takes the image from whoever has it", () => {
    const image: ImageChunk = {
      kind: "image",
      pixels: new Uint8Array(1),
      widthPixels: 1,
      heightPixels: 1,
      channels: 1,
      positionCount: 2,
    };
    const seen = turn({
      id: "seen",
      spans: [
        { kind: "rendered", tokenIds: [1] },
        { kind: "image", imageDigest: "d", positionCount: 2 },
        { kind: "sampled", tokenIds: [2, 0] },
      ],
      logprobs: [-1, -2],
    });
    const datum = datumFromTurns([seen], { images: () => image });
    expect(datum.input).toEqual([
      { kind: "tokens", tokenIds: [1] },
      image,
      { kind: "tokens", tokenIds: [2] },
    ]);
    expect([...datum.targets]).toEqual([0, 0, 2, 0]);
    expect([...datum.weights]).toEqual([0, 0, 1, 1]);
    expect(() => datumFromTurns([seen])).toThrow(expect.objectContaining({ code: "image-missing" }));
    expect(() => datumFromTurns([seen], { images: () => ({ ...image, positionCount: 3 }) })).toThrow(
      /2 positions, now 3/,
    );
  });

  test("refuses turns that are no chain", () => {
    expect(() => datumFromTurns([second])).toThrow(expect.objectContaining({ code: "context-chain-broken" }));
    expect(() => datumFromTurns([first, first])).toThrow(
      expect.objectContaining({ code: "context-chain-broken" }),
    );
  });

  test("refuses turns of players without tokens, and empty replies", () => {
    expect(() => datumFromTurns([turn({ id: "human", spans: [] })])).toThrow(
      expect.objectContaining({ code: "turn-without-tokens" }),
    );
    const empty = turn({
      id: "empty",
      spans: [
        { kind: "rendered", tokenIds: [1, 2] },
        { kind: "sampled", tokenIds: [] },
      ],
    });
    expect(() => datumFromTurns([empty])).toThrow(expect.objectContaining({ code: "nothing-to-train" }));
  });

  test("refuses log-probabilities or advantages of another length", () => {
    expect(() => datumFromTurns([turn({ id: "x", spans: first.spans, logprobs: [-1] })])).toThrow(
      /3 sampled ids and 1 logprobs/,
    );
    expect(() => datumFromTurns([first], { advantages: () => Float32Array.of(1) })).toThrow(
      /3 sampled ids and 1 advantages/,
    );
  });
});

describe("contextChain", () => {
  const sibling = turn({ id: "sibling", parent: "first", spans: second.spans, logprobs: [-4, -5] });

  test("finds the chain that ends in a turn, whatever else was played", () => {
    expect(contextChain("second", [sibling, second, first]).map(({ id }) => id)).toEqual(["first", "second"]);
  });

  test("refuses a chain with a gap or a loop", () => {
    expect(() => contextChain("second", [second])).toThrow(
      expect.objectContaining({ code: "context-chain-broken" }),
    );
    const looped = turn({ id: "loop", parent: "loop", spans: [] });
    expect(() => contextChain("loop", [looped])).toThrow(
      expect.objectContaining({ code: "context-chain-broken" }),
    );
  });
});
