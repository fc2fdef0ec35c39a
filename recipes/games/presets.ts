/** The presets of self-play from nothing. */
import type { Preset } from "spar/train";
import type { GamesOptions } from "./options.ts";

export const gamesPresets: Readonly<Record<string, Preset<GamesOptions>>> = {
  nano: {
    summary: "tic-tac-toe from random weights, about two minutes on a laptop",
    engine: "embedded",
    options: {},
  },
  kuhn: {
    summary: "Kuhn poker from random weights, with exact exploitability",
    engine: "embedded",
    options: {
      game: "kuhn-poker",
      architecture: { width: 32, layerCount: 2, headCount: 4, positions: "learned", tiedEmbeddings: false },
      updateCount: 300,
      updatesPerRound: 10,
      gamesPerUpdate: 256,
      learningRate: 1e-3,
    },
  },
};
