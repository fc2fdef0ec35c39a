import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, copyJson, parseJson, type JsonValue } from "./json.ts";

const json = (): fc.Arbitrary<JsonValue> =>
  fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constant(null),
      fc.boolean(),
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      fc.array(tie("value")),
      fc.dictionary(fc.string(), tie("value")),
    ),
  })).value;

test("the canonical text is JSON of the same value, and the same for any order of members", () => {
  fc.assert(
    fc.property(json(), (value) => {
      const text = canonicalJson(value);
      expect(parseJson(text)).toEqual(parseJson(JSON.stringify(value)));
      expect(canonicalJson(reversed(value))).toBe(text);
    }),
  );
  expect(canonicalJson({ b: [1, { d: null, c: "x" }], a: true })).toBe(
    '{"a":true,"b":[1,{"c":"x","d":null}]}',
  );
});

test("a copy is what the text gives back, and shares nothing with the value", () => {
  fc.assert(
    fc.property(json(), (value) => {
      expect(JSON.stringify(copyJson(value))).toBe(JSON.stringify(parseJson(JSON.stringify(value))));
      expect(canonicalJson(copyJson(value))).toBe(canonicalJson(value));
    }),
  );
  const list = [1];
  const copy = copyJson({ list });
  list.push(2);
  expect(copy).toEqual({ list: [1] });
  expect(Object.is(copyJson(-0), 0)).toBe(true);
  const named = parseJson('{"__proto__":{"a":1}}');
  expect(JSON.stringify(copyJson(named))).toBe('{"__proto__":{"a":1}}');
});

test("what JSON would change in silence is refused", () => {
  for (const number of [Number.NaN, Number.POSITIVE_INFINITY])
    for (const make of [canonicalJson, copyJson]) expect(() => make([number])).toThrow(RangeError);
  // What a caller without types can hand over.
  for (const value of [undefined, () => 1, 1n])
    for (const make of [canonicalJson, copyJson]) expect(() => make({ value } as never)).toThrow(TypeError);
});

function reversed(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => reversed(item));
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
