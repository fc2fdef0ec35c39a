import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { loadTokenizer, loadTokenizerFolder } from "./index.ts";

const fixtures = join(import.meta.dirname, "fixtures", "byte-level");
const encodings = z
  .array(
    z.object({
      text: z.string(),
      ids: z.array(z.number()),
      idsWithSpecial: z.array(z.number()),
      decoded: z.string(),
    }),
  )
  .parse(JSON.parse(readFileSync(join(fixtures, "encodings.json"), "utf8")));
const byteLevel = await loadTokenizerFolder(fixtures);

const bytePair = (model: object): string =>
  JSON.stringify({
    added_tokens: [],
    pre_tokenizer: { type: "Split", pattern: { Regex: " " }, behavior: "Isolated", invert: false },
    model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2, "?": 3 }, merges: ["a b"], ...model },
  });

describe("a byte-level tokenizer.json of the hub's kind", () => {
  test.each(encodings)(
    "gives $text the ids that the hub's own package gives it",
    ({ text, ids, idsWithSpecial, decoded }) => {
      expect(byteLevel.encode(text)).toEqual(ids);
      expect(byteLevel.encode(text, { addSpecialTokens: true })).toEqual(idsWithSpecial);
      expect(byteLevel.decode(ids)).toBe(decoded);
    },
  );

  test("brings text back exactly, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(byteLevel.decode(byteLevel.encode(text))).toBe(text);
      }),
    );
  });

  test("reads its named tokens, also those written as objects", () => {
    expect(byteLevel.namedTokens).toEqual({
      bos_token: "<|bos|>",
      eos_token: "<|im_end|>",
      pad_token: "<|im_end|>",
    });
    expect([byteLevel.endOfTextId, byteLevel.padId, byteLevel.vocabularySize]).toEqual([3, 3, 512]);
    expect(byteLevel.tokenToId("<|im_start|>")).toBe(1);
    expect(byteLevel.tokenToId("no such token")).toBeNull();
  });

  test("takes the template named default where there are several", () => {
    expect(byteLevel.chatTemplate).toContain("<|im_start|>{{ message.role }}");
  });

  test("leaves special tokens out of text only when asked", () => {
    const ids = [1, ...byteLevel.encode("hi"), 3];
    expect(byteLevel.decode(ids)).toBe("<|im_start|>hi<|im_end|>");
    expect(byteLevel.decode(ids, { skipSpecial: true })).toBe("hi");
  });

  test("shows ids outside the vocabulary as replacement characters", () => {
    expect(byteLevel.decode([75, 9999, 76])).toBe("h\uFFFDi");
    expect(byteLevel.decode([])).toBe("");
  });
});

describe("symbols that a vocabulary lacks", () => {
  test("are an error of a byte-pair model without an unknown token, not dropped", () => {
    const tokenizer = loadTokenizer({ tokenizerJson: bytePair({}), tokenizerConfigJson: "{}" });
    expect(tokenizer.encode("abba")).toEqual([2, 1, 0]);
    expect(() => tokenizer.encode("abxb")).toThrow(
      expect.objectContaining({ code: "unknown-symbol", facts: { symbol: "x", place: 2 } }),
    );
  });

  test("become the unknown token where the model has one", () => {
    const tokenizer = loadTokenizer({
      tokenizerJson: bytePair({ unk_token: "?" }),
      tokenizerConfigJson: "{}",
    });
    expect(tokenizer.encode("abx")).toEqual([2, 3]);
  });

  test("become the unknown token of a word-level model though the configuration does not name it", () => {
    const tokenizerJson = JSON.stringify({
      pre_tokenizer: { type: "WhitespaceSplit" },
      model: { type: "WordLevel", vocab: { yes: 0, no: 1, what: 2 }, unk_token: "what" },
    });
    expect(loadTokenizer({ tokenizerJson, tokenizerConfigJson: "{}" }).encode("yes maybe no")).toEqual([
      0, 2, 1,
    ]);
  });
});

describe("files that are no tokenizer", () => {
  test.each([
    { name: "no JSON", tokenizerJson: "{", config: "{}", code: "tokenizer-unreadable" },
    { name: "no model", tokenizerJson: "{}", config: "{}", code: "tokenizer-unreadable" },
    {
      name: "a list as configuration",
      tokenizerJson: bytePair({}),
      config: "[]",
      code: "tokenizer-unreadable",
    },
    {
      name: "a part that the library lacks",
      tokenizerJson: bytePair({}).replace('"Split"', '"Oracle"'),
      config: "{}",
      code: "tokenizer-unsupported",
    },
  ])("are refused: $name", ({ tokenizerJson, config, code }) => {
    expect(() => loadTokenizer({ tokenizerJson, tokenizerConfigJson: config })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test("a folder without one says so", async () => {
    await expect(loadTokenizerFolder(join(fixtures, "nowhere"))).rejects.toMatchObject({
      code: "tokenizer-not-found",
    });
  });

  test("a folder where the file is itself a folder says so", async () => {
    await expect(loadTokenizerFolder(join(fixtures, ".."))).rejects.toMatchObject({
      code: "tokenizer-not-found",
    });
  });
});

test("a template in a file of its own wins over the configuration's", async () => {
  const folder = await mkdtemp(join(tmpdir(), "spar-tokenizer-"));
  try {
    await writeFile(join(folder, "tokenizer.json"), bytePair({}));
    await writeFile(
      join(folder, "tokenizer_config.json"),
      JSON.stringify({ chat_template: "old", eos_token: "?" }),
    );
    await writeFile(join(folder, "chat_template.jinja"), "new");
    const tokenizer = await loadTokenizerFolder(folder);
    expect([tokenizer.chatTemplate, tokenizer.endOfTextId]).toEqual(["new", 3]);
    expect(loadTokenizer(tokenizer.definition).chatTemplate).toBe("new");
  } finally {
    await rm(folder, { recursive: true });
  }
});
