import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tokens, type Chunk, type ImageChunk } from "../contract/index.ts";
import { templates } from "./fixtures/templates.ts";
import { chatRenderer, checkPrefixPreserving, loadTokenizerFolder, type PromptSegment } from "./index.ts";

const tokenizer = await loadTokenizerFolder(join(import.meta.dirname, "fixtures", "byte-level"));
const stop = tokenizer.tokenToId("<|im_end|>") ?? -1;
const user = (text: string): PromptSegment => ({ kind: "text", role: "user", text });
const system = (text: string): PromptSegment => ({ kind: "text", role: "system", text });
const textOf = (chunks: readonly Chunk[]): string =>
  tokenizer.decode(chunks.flatMap((chunk) => (chunk.kind === "tokens" ? chunk.tokenIds : [])));
const render = (template: string, segments: readonly PromptSegment[]): string =>
  textOf(chatRenderer(tokenizer, { template }).render(segments).chunks);

describe("the first prompt of a context", () => {
  test("is the whole conversation with the reply's header open", () => {
    expect(render(templates.chatml, [system("S"), user("Hi")])).toBe(
      "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    );
  });

  test("holds what was said before by somebody without ids, such as a person", () => {
    const history: PromptSegment[] = [user("Hi"), { kind: "text", role: "assistant", text: "Hello" }];
    const { startsNewContext, chunks } = chatRenderer(tokenizer, { template: templates.chatml }).render(
      [user("More")],
      { history },
    );
    expect(startsNewContext).toBe(true);
    expect(textOf(chunks)).toBe(
      "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nMore<|im_end|>\n<|im_start|>assistant\n",
    );
  });

  // spin.md 2.3: the default template of the SPIN authors for an empty system turn and the prompt "Hi".
  test("of a Zephyr-like template ends every turn in the end-of-text token", () => {
    expect(render(templates.zephyr, [system(""), user("Hi")])).toBe(
      "<|system|>\n<|im_end|>\n<|user|>\nHi<|im_end|>\n<|assistant|>\n",
    );
  });

  test("adds the default system message of a template that has one", () => {
    expect(render(templates.defaultSystem, [user("Hi")])).toContain(
      "<|im_start|>system\nYou are helpful.<|im_end|>",
    );
  });

  test("has one token for the beginning of the text, from the template alone", () => {
    const { tokenIds } = chatRenderer(tokenizer, { template: templates.llama }).render([user("Hi")]);
    expect(tokenIds.filter((tokenId) => tokenId === 2)).toHaveLength(1);
  });

  test("joins neighbouring segments of one role to one message", () => {
    expect(render(templates.chatml, [user("a"), user("b")])).toBe(render(templates.chatml, [user("ab")]));
  });

  test("shows the same date on every day", () => {
    const dated = "{{ strftime_now('%d %b %Y') }}{% for m in messages %}{{ m.content }}{% endfor %}";
    expect(render(dated, [user("!")])).toBe("26 Jul 2024!");
    const renderer = chatRenderer(tokenizer, { template: dated, date: "2031-02-03" });
    expect(textOf(renderer.render([user("!")]).chunks)).toBe("03 Feb 2031!");
  });

  test("passes switches on to the template", () => {
    const switched = "{% if loud %}!{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}";
    const renderer = chatRenderer(tokenizer, { template: switched, variables: { loud: true } });
    expect(textOf(renderer.render([user("a")]).chunks)).toBe("!a");
  });
});

describe("stop tokens", () => {
  test("begin with the one that the template closes a reply with", () => {
    const closing = "{% for m in messages %}{{ m.role }}: {{ m.content }}<|endoftext|>{% endfor %}";
    expect(chatRenderer(tokenizer, { template: closing }).stopTokenIds).toEqual([0, stop]);
    expect(
      chatRenderer(tokenizer, { template: templates.chatml, stopTokens: ["<|endoftext|>"] }).stopTokenIds,
    ).toEqual([stop, 0]);
  });

  test("are cut from the text of a reply, other special tokens are left out", () => {
    const renderer = chatRenderer(tokenizer, { template: templates.chatml });
    expect(renderer.decode([1, ...tokenizer.encode(" hi"), stop])).toBe(" hi");
    expect(renderer.decode([])).toBe("");
    const ordinary = chatRenderer(tokenizer, { template: templates.chatml, stopTokens: ["!"] });
    expect(ordinary.decode(tokenizer.encode("a!b!"))).toBe("a!b");
  });

  test("that the vocabulary lacks are refused", () => {
    expect(() => chatRenderer(tokenizer, { template: templates.chatml, stopTokens: ["<|eot|>"] })).toThrow(
      expect.objectContaining({ code: "unknown-symbol" }),
    );
  });
});

describe("a later turn", () => {
  const renderer = chatRenderer(tokenizer, { template: templates.chatml });
  const reply = tokenizer.encode("Hello");

  test("adds what the template writes after a reply, without a second closing token", () => {
    const { chunks, startsNewContext } = renderer.render([user("More")], {
      context: [tokens([9, ...reply, stop])],
    });
    expect(startsNewContext).toBe(false);
    expect(textOf(chunks)).toBe("\n<|im_start|>user\nMore<|im_end|>\n<|im_start|>assistant\n");
  });

  test("closes a reply that was cut by its length", () => {
    const { chunks, spans } = renderer.render([user("More")], { context: [tokens([9, ...reply])] });
    expect(textOf(chunks)).toBe("<|im_end|>\n<|im_start|>user\nMore<|im_end|>\n<|im_start|>assistant\n");
    expect(spans.map((span) => span.kind)).toEqual(["rendered"]);
  });

  test("keeps a closing token that is not the template's, and closes as the template does", () => {
    const { chunks } = renderer.render([user("More")], { context: [tokens([9, ...reply, 0])] });
    expect(textOf(chunks).startsWith("<|im_end|>\n")).toBe(true);
  });
});

describe("checkPrefixPreserving", () => {
  test.each(["chatml", "zephyr", "llama", "defaultSystem"] as const)(
    "accepts a template that keeps earlier turns: %s",
    (name) => {
      expect(checkPrefixPreserving(chatRenderer(tokenizer, { template: templates[name] }))).toEqual({
        kind: "preserving",
        trimsReplies: name === "llama",
      });
    },
  );

  test.each([
    ["stripsThinking", "thinking"],
    ["systemInLastMessage", "system"],
    ["numbersTurns", "plain"],
    ["opensThinking", "plain"],
    ["lastTurnOnly", "plain"],
  ] as const)("recognises %s by the %s conversation and refuses it", (name, probe) => {
    const renderer = chatRenderer(tokenizer, { template: templates[name] });
    expect(renderer.prefixCheck()).toMatchObject({ kind: "rewriting", probe });
    expect(() => checkPrefixPreserving(renderer)).toThrow(
      expect.objectContaining({ code: "template-not-prefix-preserving", facts: { probe } }),
    );
    expect(() => renderer.render([user("More")], { context: [tokens([1, stop])] })).toThrow(
      expect.objectContaining({ code: "template-not-prefix-preserving" }),
    );
  });

  test("lets single prompts of such a template through", () => {
    expect(render(templates.stripsThinking, [user("Hi")])).toContain("Hi");
  });

  test("starts a new context where the recipe says so", () => {
    const renderer = chatRenderer(tokenizer, {
      template: templates.stripsThinking,
      whenRewriting: "new-context",
    });
    expect(checkPrefixPreserving(renderer).kind).toBe("rewriting");
    const history: PromptSegment[] = [
      user("Hi"),
      { kind: "text", role: "assistant", text: "<think>\nhm\n</think>\n\nHello" },
    ];
    const rendered = renderer.render([user("More")], { context: [tokens([1, 3])], history });
    expect(rendered.startsNewContext).toBe(true);
    expect(textOf(rendered.chunks)).toBe(
      "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nMore<|im_end|>\n<|im_start|>assistant\n",
    );
    expect(() => renderer.render([user("More")], { context: [tokens([1, 3])] })).toThrow(
      expect.objectContaining({ code: "history-missing" }),
    );
  });

  test("keeps the old ids where the recipe says so", () => {
    const renderer = chatRenderer(tokenizer, {
      template: templates.stripsThinking,
      whenRewriting: "keep-ids",
    });
    const rendered = renderer.render([user("More")], { context: [tokens([9, stop])] });
    expect(rendered.startsNewContext).toBe(false);
    expect(textOf(rendered.chunks)).toBe("\n<|im_start|>user\nMore<|im_end|>\n<|im_start|>assistant\n");
  });
});

describe("images", () => {
  const image: ImageChunk = {
    kind: "image",
    pixels: new Uint8Array(1),
    widthPixels: 1,
    heightPixels: 1,
    channels: 1,
    positionCount: 4,
  };
  const segments: PromptSegment[] = [
    user("see "),
    { kind: "image", role: "user", imageDigest: "d1" },
    user(" well?"),
  ];

  test("stand where the template put their placeholder", () => {
    const renderer = chatRenderer(tokenizer, { template: templates.images, imagePlaceholder: "[image]" });
    const { chunks, spans } = renderer.render(segments, { images: () => image });
    expect(
      chunks.map((chunk) => (chunk.kind === "image" ? "image" : tokenizer.decode(chunk.tokenIds))),
    ).toEqual(["<|im_start|>user\nsee ", "image", " well?<|im_end|>\n<|im_start|>assistant\n"]);
    expect(spans[1]).toEqual({ kind: "image", imageDigest: "d1", positionCount: 4 });
  });

  test("are refused where nobody knows them or the template has no place for them", () => {
    const renderer = chatRenderer(tokenizer, { template: templates.images, imagePlaceholder: "[image]" });
    expect(() => renderer.render(segments)).toThrow(expect.objectContaining({ code: "image-missing" }));
    const blind = chatRenderer(tokenizer, { template: templates.images });
    expect(() => blind.render(segments, { images: () => image })).toThrow(
      expect.objectContaining({ code: "image-placeholder-mismatch" }),
    );
  });
});

test.each([
  ["template-missing", {}],
  ["template-invalid", { template: "{% if %}" }],
  ["template-failed", { template: "{{ raise_exception('no') }}" }],
  ["template-failed", { template: "no messages at all" }],
])("a renderer that cannot work is refused: %s", (code, options) => {
  const bare = { ...tokenizer, chatTemplate: null };
  expect(() => chatRenderer(bare, options)).toThrow(expect.objectContaining({ code }));
});

test("what is stored about a renderer holds the template and the tokenizer's digest", () => {
  const description = chatRenderer(tokenizer).describe();
  expect(description).toMatchObject({
    kind: "chat",
    template: tokenizer.chatTemplate,
    whenRewriting: "refuse",
  });
  expect(description["tokenizerDigest"]).toMatch(/^[0-9a-f]{64}$/);
});
