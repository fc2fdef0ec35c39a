/**
 * What a game needs to be learned from nothing: its rules in their shortest form, a vocabulary of one
 * token per symbol, a context that holds the longest game. Adding a game is adding an entry.
 */
import type { JsonValue } from "spar/base";
import type { Architecture } from "spar/contract";
import type { Match } from "spar/games";
import { game as kuhnPoker } from "spar/games/kuhn-poker";
import { game as ticTacToe } from "spar/games/tic-tac-toe";
import { characterTokenizer, plainRenderer, type PromptRenderer, type Tokenizer } from "spar/text";
import { exploitabilityFigureNames } from "./measure-exploitability.ts";
import { perfectPlayFigureNames } from "./measure-perfect-play.ts";
import type { GamesOptions } from "./options.ts";

export interface World {
  readonly match: Match;
  readonly task: JsonValue;
  readonly tokenizer: Tokenizer;
  readonly renderer: PromptRenderer;
  /** Positions that the longest game of a seat takes. */
  readonly contextLength: number;
  /** What is measured, in the order in which it is shown; the first is drawn as a chart. */
  readonly figureNames: readonly string[];
}

interface Entry extends Pick<World, "match" | "contextLength" | "figureNames"> {
  readonly symbols: string;
}

const entries: Readonly<Record<GamesOptions["game"], Entry>> = {
  "tic-tac-toe": {
    match: ticTacToe,
    symbols: "XO123456789",
    contextLength: 12,
    figureNames: perfectPlayFigureNames(ticTacToe.seats),
  },
  "kuhn-poker": {
    match: kuhnPoker,
    symbols: "JQKpb",
    contextLength: 8,
    figureNames: exploitabilityFigureNames,
  },
};

export function worldOf(options: Pick<GamesOptions, "game">): World {
  const { symbols, ...entry } = entries[options.game];
  const tokenizer = characterTokenizer({ symbols });
  return { ...entry, task: { isExplained: false }, tokenizer, renderer: plainRenderer(tokenizer) };
}

/** The model that learns: as large as the options say, with the vocabulary and the context of the game. */
export function architectureOf(options: Pick<GamesOptions, "game" | "architecture">): Architecture {
  const { tokenizer, contextLength } = worldOf(options);
  return { ...options.architecture, vocabularySize: tokenizer.vocabularySize, contextLength };
}
