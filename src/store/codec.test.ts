import fc from "fast-check";
import { expect, test } from "vitest";
import { isSparError } from "../base/index.ts";
import type { Span } from "../records/index.ts";
import { decodeLogprobs, decodeSpans, encodeLogprobs, encodeSpans } from "./codec.ts";

const tokenId = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 300_000 }), fc.nat({ max: 2 ** 31 - 1 }));
const span: fc.Arbitrary<Span> = fc.oneof(
  fc.record({ kind: fc.constantFrom("rendered", "sampled", "forced"), tokenIds: fc.array(tokenId) }),
  fc.record({
    kind: fc.constant("image" as const),
    imageDigest: fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString("hex")),
    positionCount: fc.nat({ max: 5000 }),
  }),
);

test("spans come back as they were", () => {
  fc.assert(
    fc.property(fc.array(span), (spans) => {
      expect(decodeSpans(encodeSpans(spans))).toEqual(spans);
    }),
  );
});

test("log-probabilities come back bit for bit, whatever they are", () => {
  fc.assert(
    fc.property(fc.float32Array(), (logprobs) => {
      expect(decodeLogprobs(encodeLogprobs(logprobs))).toEqual(logprobs);
    }),
  );
});

test("log-probabilities are float32 little-endian, whatever the machine", () => {
  expect([...encodeLogprobs(Float32Array.from([-1]))]).toEqual([0, 0, 0x80, 0xbf]);
});

/** The spans, or null where they are refused as corrupt; anything else fails the test. */
function decodeOrRefuse(bytes: Uint8Array): Span[] | null {
  try {
    return decodeSpans(bytes);
  } catch (thrown) {
    expect(isSparError(thrown) && thrown.code).toBe("run-corrupt");
    return null;
  }
}

test("bytes that are cut are refused or give a prefix of the spans, never others", () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1 }), fc.nat(), (spans, place) => {
      const bytes = encodeSpans(spans);
      const decoded = decodeOrRefuse(bytes.subarray(0, place % bytes.length));
      if (decoded !== null) expect(decoded).toEqual(spans.slice(0, decoded.length));
    }),
  );
});

test("noise is refused as corrupt or decodes, and never fails otherwise", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeOrRefuse(bytes)));
});

test("a tiny vocabulary takes five bytes per sampled token, a real one seven", () => {
  const bytes = (id: number): number => {
    const tokenIds = Array.from({ length: 100 }, () => id);
    return (
      encodeSpans([{ kind: "sampled", tokenIds }]).length - 2 + encodeLogprobs(new Float32Array(100)).length
    );
  };
  expect(bytes(20)).toBe(500);
  expect(bytes(49_000)).toBe(700);
});
