import { describe, expect, test } from "vitest";
import { tokens, type ImageChunk } from "../contract/index.ts";
import {
  characterTokenizer,
  instructionRenderer,
  plainRenderer,
  type PromptRenderer,
  type PromptSegment,
} from "./index.ts";

const tokenizer = characterTokenizer({
  symbols: "abcdefghijklmnopqrstuvwxyzIR# :\n|>",
  special: { others: ["<start>"] },
});
const text = (content: string, role = "user"): PromptSegment => ({ kind: "text", role, text: content });
const shown = (renderer: PromptRenderer, segments: PromptSegment[], context: number[] = []): string =>
  tokenizer.decode(
    renderer.render(segments, context.length === 0 ? {} : { context: [tokens(context)] }).tokenIds,
  );

describe("plainRenderer", () => {
  test("adds nothing that the options do not name", () => {
    expect(shown(plainRenderer(tokenizer), [text("ab"), text("c", "other")])).toBe("abc");
  });

  test("puts its prefix before a fresh context alone, its suffix after each prompt, its separator between", () => {
    const renderer = plainRenderer(tokenizer, { prefix: "<start>", separator: "|", suffix: ">" });
    expect(shown(renderer, [text("a"), text("b")])).toBe("<start>a|b>");
    expect(shown(renderer, [text("c")], [3, 0])).toBe("|c>");
  });

  test("extends a context without repeating it", () => {
    const { startsNewContext, chunks } = plainRenderer(tokenizer).render([text("b")], {
      context: [tokens([5, 0])],
    });
    expect([startsNewContext, chunks]).toEqual([false, [tokens(tokenizer.encode("b"))]]);
  });

  test("renders what was said before anybody had ids as if it had been sampled", () => {
    const renderer = plainRenderer(tokenizer, { prefix: "<start>", separator: "|", suffix: ">" });
    const history = [text("a"), text("b"), text("c", "assistant"), text("d"), text("e", "assistant")];
    const { startsNewContext, tokenIds } = renderer.render([text("f")], { history });
    expect(startsNewContext).toBe(true);
    expect(tokenizer.decode(tokenIds)).toBe("<start>a|b>c|d>e|f>");
    const context = [tokens(tokenizer.encode("<start>a|b>c|d>e"))];
    const extended = renderer.render([text("f")], { context, history });
    expect(tokenizer.decode(extended.tokenIds), "where ids are, they are what counts").toBe("|f>");
  });

  test("puts images where their segments stand", () => {
    const image: ImageChunk = {
      kind: "image",
      pixels: new Uint8Array(1),
      widthPixels: 1,
      heightPixels: 1,
      channels: 1,
      positionCount: 1,
    };
    const segments: PromptSegment[] = [{ kind: "image", role: "user", imageDigest: "d" }, text("a")];
    const { chunks } = plainRenderer(tokenizer, { separator: "|" }).render(segments, { images: () => image });
    expect(chunks).toEqual([image, tokens(tokenizer.encode("|a"))]);
  });

  test("stops at the end-of-text token and decodes up to it", () => {
    const renderer = plainRenderer(tokenizer);
    expect(renderer.stopTokenIds).toEqual([0]);
    expect(renderer.decode([...tokenizer.encode("ab"), 0])).toBe("ab");
    expect(renderer.decode(tokenizer.encode("ab"))).toBe("ab");
  });

  test("describes itself, so that two runs with other options differ", () => {
    const described = plainRenderer(tokenizer, { prefix: "a" }).describe();
    expect(described).toEqual(plainRenderer(tokenizer, { prefix: "a" }).describe());
    expect(described).not.toEqual(plainRenderer(tokenizer, { prefix: "b" }).describe());
  });
});

// spin.md 2.2: three hashes, a space, the word, a colon, a space; two newlines between.
describe("instructionRenderer", () => {
  const renderer = instructionRenderer(
    characterTokenizer({
      symbols: "InstrucioRep#: \nHab",
    }),
  );
  const show = (segments: PromptSegment[], context: number[] = []): string =>
    renderer.tokenizer.decode(
      renderer.render(segments, { context: context.length === 0 ? [] : [tokens(context)] }).tokenIds,
    );

  test("writes the headers of the SPIN authors and nothing else", () => {
    expect(show([text("Ha")])).toBe("### Instruction: Ha\n\n### Response: ");
  });

  test("adds further instructions under headers of their own", () => {
    expect(show([text("b")], [4, 0])).toBe("\n\n### Instruction: b\n\n### Response: ");
  });

  test("shows earlier exchanges under the same headers where nobody had ids", () => {
    const history = [text("H"), text("a", "assistant")];
    expect(renderer.tokenizer.decode(renderer.render([text("b")], { history }).tokenIds)).toBe(
      "### Instruction: H\n\n### Response: a\n\n### Instruction: b\n\n### Response: ",
    );
  });

  test("refuses roles that it has no header for", () => {
    expect(() => renderer.render([text("a", "tool")])).toThrow(
      expect.objectContaining({ code: "role-unsupported" }),
    );
  });

  test("describes its headers", () => {
    expect(renderer.describe()).toMatchObject({
      kind: "instruction",
      instructionHeader: "### Instruction: ",
    });
  });
});
