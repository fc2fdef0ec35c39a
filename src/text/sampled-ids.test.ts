/** Promise 1 over many templates: the ids that are trained are the ids that were sampled. */
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tokens, type Chunk, type TokenId } from "../contract/index.ts";
import type { Span, Turn } from "../records/index.ts";
import { templates } from "./fixtures/templates.ts";
import { chatRenderer, datumFromTurns, loadTokenizerFolder, type ChatRenderer } from "./index.ts";

const tokenizer = await loadTokenizerFolder(join(import.meta.dirname, "fixtures", "byte-level"));
const stop = tokenizer.tokenToId("<|im_end|>") ?? -1;

describe.each(Object.keys(templates) as (keyof typeof templates)[])("over the template %s", (name) => {
  const renderer = chatRenderer(tokenizer, {
    template: templates[name],
    whenRewriting: "keep-ids",
    imagePlaceholder: "[image]",
  });
  const sampledReply = fc.record({
    text: fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(" a ", "<think>\nhm\n</think>\n\nx", "\n\n", "it's"),
    ),
    ids: fc.array(fc.nat({ max: 511 }), { maxLength: 4 }),
    isStopped: fc.boolean(),
  });

  test("ids trained are ids sampled, stop tokens among them, and nothing else is trained", () => {
    fc.assert(
      fc.property(fc.array(sampledReply, { minLength: 1, maxLength: 4 }), (replies) => {
        const sampled = replies.map(({ text, ids, isStopped }) => [
          ...tokenizer.encode(text),
          ...ids,
          ...(isStopped ? [stop] : [5]),
        ]);
        const turns = playTurns(renderer, sampled);
        const datum = datumFromTurns(turns);
        const isTrained = [...datum.weights].map((weight) => weight === 1);
        const all = turns.flatMap((turn) => turn.spans.flatMap(idsOf));
        expect([...datum.targets].filter((_id, index) => isTrained[index])).toEqual(sampled.flat());
        expect([...datum.targets]).toEqual(all.slice(1));
        expect(datum.input).toEqual([tokens(all.slice(0, -1))]);
        const logprobs = turns.flatMap((turn) => [...turn.logprobs]);
        expect([...(datum.behaviorLogprobs ?? [])].filter((_value, index) => isTrained[index])).toEqual(
          logprobs,
        );
      }),
      { numRuns: 25 },
    );
  });
});

/** Plays a conversation whose replies are given, as a player would: rendered ids, then sampled ones. */
function playTurns(renderer: ChatRenderer, replies: readonly (readonly TokenId[])[]): Turn[] {
  const turns: Turn[] = [];
  const context: Chunk[] = [];
  for (const [turnIndex, tokenIds] of replies.entries()) {
    const prompt = renderer.render([{ kind: "text", role: "user", text: `Question ${turnIndex}` }], {
      context,
    });
    context.push(...prompt.chunks, tokens(tokenIds));
    turns.push({
      id: `turn-${turnIndex}`,
      episodeId: "episode",
      seat: "solver",
      sequence: turnIndex,
      siblingIndex: 0,
      contextParent: turnIndex === 0 ? null : `turn-${turnIndex - 1}`,
      player: { kind: "live", name: "policy", version: null },
      spans: [...prompt.spans, { kind: "sampled", tokenIds }],
      logprobs: Float32Array.from(tokenIds, (_id, index) => -0.5 - turnIndex - index / 8),
      sampling: null,
      finishReason: tokenIds.at(-1) === stop ? "stop" : "length",
      text: renderer.decode(tokenIds),
      parsed: null,
      durationMs: 1,
    });
  }
  return turns;
}

function idsOf(span: Span): readonly TokenId[] {
  return span.kind === "image" ? [] : span.tokenIds;
}
