/** That a game is a pure function of what its table returns: repeatable, replayable, and careful with what it is given. */
import { expect } from "vitest";
import { scriptedPlayer } from "../../players/index.ts";
import type { GameTest } from "./game-test.ts";
import { endOf } from "./game-under-test.ts";

const seeds = [1, 2, 3, 4, 5];

export const purityTests: readonly GameTest[] = [
  {
    title: "neither the task nor what the table returned is changed",
    run: async (game) => {
      for await (const play of game.plays(seeds.length)) {
        endOf(play);
        expect(play.watch.changed(), "the game changed what it was given to read").toEqual([]);
      }
    },
  },
  {
    title: "the same seed gives the same play",
    run: async (game) => {
      for await (const play of game.plays(seeds.length)) {
        const again = await game.play({ task: play.task, seed: play.seed });
        expect(game.transcript(again)).toEqual(game.transcript(play));
      }
    },
  },
  {
    title: "a play is told again from its record line by line, and goes on where it was cut",
    run: async (game) => {
      const absent = scriptedPlayer({
        // A record counts for the same players alone.
        name: game.randomPlayer().reference.name,
        reply: () => {
          throw new Error("a recorded reply was asked for again");
        },
      });
      for (const task of game.tasks)
        for (const seed of seeds) {
          const played = await game.play({ task, seed });
          const lines = game.transcript(played);
          const { memory } = played;
          const told = await game.play({ task, seed, memory: memory.cutAfter(Infinity), player: absent });
          expect(game.transcript(told)).toEqual(lines);
          const half = memory.cutAfter(Math.floor(memory.recordCount / 2));
          expect(game.transcript(await game.play({ task, seed, memory: half }))).toEqual(lines);
        }
    },
  },
];
