import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { characterTokenizer, loadTokenizer, wordTokenizer } from "./index.ts";

const awkward = ["=", ...Array.from("0123456789+-*/^$.?()[]{}|\\ \n"), "add"];

describe("a character tokenizer", () => {
  test("numbers special tokens first, then the symbols in order", () => {
    const tokenizer = characterTokenizer({ symbols: "ab", special: { pad: "<pad>", others: ["<user>"] } });
    expect(tokenizer.encode("<pad><end><user>ab")).toEqual([0, 1, 2, 3, 4]);
    expect([tokenizer.padId, tokenizer.endOfTextId, tokenizer.vocabularySize]).toEqual([0, 1, 5]);
  });

  test("brings back every text over its symbols, regular-expression characters among them", () => {
    const tokenizer = characterTokenizer({ symbols: awkward });
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...awkward)), (symbols) => {
        const ids = tokenizer.encode(symbols.join(""));
        expect(ids).toEqual(symbols.map((symbol) => tokenizer.tokenToId(symbol)));
        expect(tokenizer.decode(ids)).toBe(symbols.join(""));
      }),
    );
  });

  test("takes the longest symbol that matches", () => {
    const tokenizer = characterTokenizer({ symbols: ["a", "ab", "abc", "c"] });
    expect(tokenizer.encode("abcabac").map((id) => tokenizer.decode([id]))).toEqual(["abc", "ab", "a", "c"]);
  });

  test("has no padding token unless one is named", () => {
    expect(characterTokenizer({ symbols: "ab" }).padId).toBeNull();
  });

  test("names the symbol that it lacks and its place", () => {
    const tokenizer = characterTokenizer({ symbols: "12+" });
    expect(() => tokenizer.encode("1+2+x")).toThrow(
      expect.objectContaining({
        code: "unknown-symbol",
        message: 'the tokenizer has no token for "x" at character 5 of "1+2+x"',
        hint: "it knows + 1 2: use text of these, or a tokenizer that covers more",
        facts: { symbol: "x", place: 4 },
      }),
    );
    const large = characterTokenizer({
      symbols: Array.from({ length: 101 }, (_, index) => String.fromCodePoint(0x4e00 + index)),
    });
    expect(() => large.encode("x")).toThrow(
      expect.objectContaining({ hint: expect.not.stringContaining("knows") }),
    );
  });

  test("is the same after its files were stored and read", () => {
    const tokenizer = characterTokenizer({ symbols: awkward, chatTemplate: "{{ messages }}" });
    const again = loadTokenizer(tokenizer.definition);
    expect(again.encode("1+2=add\n")).toEqual(tokenizer.encode("1+2=add\n"));
    expect(again.chatTemplate).toBe("{{ messages }}");
  });

  test.each([["aa"], ["a<unk>"], [""]])(
    "refuses the symbols %j where they repeat, are reserved or empty",
    (text) => {
      const symbols = text === "aa" ? "aa" : ["a", text.slice(1)];
      expect(() => characterTokenizer({ symbols })).toThrow(
        expect.objectContaining({ code: "vocabulary-invalid" }),
      );
    },
  );
});

describe("a word tokenizer", () => {
  const tokenizer = wordTokenizer({ words: ["the", "cat", "sat", "naïve"], symbols: " .1" });

  test("has one token per word and one per character between words", () => {
    expect(tokenizer.encode("the cat. 11")).toEqual([1, 5, 2, 6, 5, 7, 7]);
  });

  test("brings text back with its spaces", () => {
    const text = "  the naïve cat  sat.";
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  test("never splits a word that it lacks into words that it has", () => {
    expect(() => tokenizer.encode("the cats")).toThrow(
      expect.objectContaining({
        code: "unknown-symbol",
        message: expect.stringContaining('"cats" at character 5'),
      }),
    );
  });

  test.each([{ words: ["two words"] }, { words: ["a"], symbols: ["bc"] }, { words: ["a", "a"] }])(
    "refuses %j",
    (options) => {
      expect(() => wordTokenizer(options)).toThrow(expect.objectContaining({ code: "vocabulary-invalid" }));
    },
  );
});
