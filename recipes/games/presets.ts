/** The presets of self-play from nothing. */
import type { Preset } from "spar/train";
import { gamesOptions, type GamesOptions } from "./options.ts";

export const gamesPresets: Readonly<Record<string, Preset<GamesOptions>>> = {
  nano: {
    summary: "tic-tac-toe from random weights with its control, some ten minutes on a laptop",
    engine: "embedded",
    options: {},
  },
  kuhn: {
    summary: "Kuhn poker from random weights with its control, a minute or two",
    engine: "embedded",
    options: {
      game: "kuhn-poker",
      architecture: { width: 32, layerCount: 2, headCount: 4, positions: "learned", tiedEmbeddings: false },
      updateCount: 300,
      updatesPerRound: 10,
      gamesPerUpdate: 256,
      minibatchCount: 4,
      baseline: "history",
      randomOpeningShare: 0,
      // Mixed strategies are the point here, so a bonus remains, whatever entropy it leads to.
      entropy: {
        ...gamesOptions.shape.entropy.parse({}),
        control: "schedule",
        start: 0.3,
        end: 0.1,
      },
      // Ratings count matches won, and good play of poker wins chips, not matches: they would tell nothing.
      ladder: { versions: 0, matchesPerPairing: 100 },
    },
  },
};
