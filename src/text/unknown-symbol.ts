/**
 * What happens to a symbol that a vocabulary lacks and cannot mark as unknown: an error that names
 * it and its place. Without this the hub's library drops it, or puts `undefined` among the ids.
 */
import { SparError } from "../base/index.ts";
import type { HubTokenizer } from "./hub-tokenizer.ts";
import type { TokenizerSettings } from "./tokenizer-files.ts";

const shownCharacters = 24;

/** A vocabulary of at most so many tokens is told whole. */
const shownVocabulary = 100;

/** A text as the library cut it, of which one piece has no token. */
export interface CutText {
  readonly text: string;
  readonly pieces: readonly string[];
}

/** What the vocabulary holds that a person could type, in an order for people; null where that is too much to tell. */
export function tellVocabulary(hub: HubTokenizer, settings: TokenizerSettings): string | null {
  const vocabulary = hub.get_vocab();
  if (vocabulary.size > shownVocabulary) return null;
  return [...vocabulary]
    .filter(([, tokenId]) => !settings.specialIds.has(tokenId))
    .map(([token]) => (/^\S+$/u.test(token) ? token : JSON.stringify(token)))
    .toSorted()
    .join(" ");
}

/** The error for the piece at `tokenIndex` of an encoded text. */
export function unknownSymbol(
  { text, pieces }: CutText,
  tokenIndex: number,
  vocabulary: string | null,
): SparError {
  const piece = pieces[tokenIndex] ?? "";
  let position = 0;
  for (const earlier of pieces.slice(0, tokenIndex)) {
    const found = text.indexOf(earlier, position);
    if (found >= 0) position = found + earlier.length;
  }
  const place = Math.max(text.indexOf(piece, position), 0);
  return unknownSymbolError(
    piece,
    `at character ${place + 1} of ${JSON.stringify(shorten(text, place))}`,
    place,
    vocabulary,
  );
}

/**
 * Makes a byte-pair model that has no unknown token, and would leave unknown symbols out without a
 * word, throw instead.
 */
export function guardSilentDrops(hub: HubTokenizer, settings: TokenizerSettings): void {
  const { model } = hub;
  if (settings.coversEverything || model === null) return;
  const encode = model.encode.bind(model);
  model.encode = (pieces) => {
    const encoded = encode(pieces);
    if (encoded.join("") === pieces.join("")) return encoded;
    const symbols = pieces.flatMap((piece) => Array.from(piece));
    const missing = symbols.findIndex((symbol) => hub.token_to_id(symbol) === undefined);
    throw unknownSymbolError(
      symbols[missing] ?? pieces.join(""),
      `in ${JSON.stringify(shorten(pieces.join(""), 0))}`,
      missing,
      tellVocabulary(hub, settings),
    );
  };
}

function unknownSymbolError(
  piece: string,
  where: string,
  place: number,
  vocabulary: string | null,
): SparError {
  const symbol = Array.from(piece)[0] ?? "";
  return new SparError({
    code: "unknown-symbol",
    boundary: "text",
    message: `the tokenizer has no token for ${JSON.stringify(shorten(piece, 0))} ${where}`,
    hint:
      vocabulary === null
        ? "use text that the vocabulary covers, or a tokenizer that covers the text"
        : `it knows ${vocabulary}: use text of these, or a tokenizer that covers more`,
    facts: { symbol, place },
  });
}

/** A stretch of a text that is short enough for a message and holds the place. */
function shorten(text: string, place: number): string {
  const start = Math.max(0, place - shownCharacters);
  const part = text.slice(start, place + shownCharacters);
  return `${start > 0 ? "..." : ""}${part}${start + part.length < text.length ? "..." : ""}`;
}
