/** What a run of self-play from nothing will do, in numbers, before it starts. */
import { activationBytesOf, parameterCountOf } from "spar/contract";
import type { Plan } from "spar/train";
import type { GamesOptions } from "./options.ts";
import { architectureOf, worldOf } from "./worlds.ts";

/** What a turn of one token takes in the run folder, and an episode around it with its places in the indices. */
const recordBytesPerTurn = 105;
const recordBytesPerGame = 345;

export function planGames(options: GamesOptions): Plan {
  const { match, contextLength } = worldOf(options);
  const { updateCount, updatesPerRound, gamesPerUpdate } = options;
  const rounds = Math.ceil(updateCount / updatesPerRound);
  const seatCount = match.seats.length;
  const games = updateCount * gamesPerUpdate;
  const controlGames = options.controls.length * games * seatCount;
  const models = (options.policyPerSeat ? seatCount : 1) * (1 + options.controls.length);
  const { width, layerCount, headCount } = options.architecture;
  const parameterCount = parameterCountOf(architectureOf(options));
  const checkpointBytes = 3 * 4 * parameterCount;
  const trained = { count: gamesPerUpdate * seatCount, tokens: contextLength };
  const turns = (games + controlGames) * match.limits.turns;
  return {
    lines: [
      { name: "game", value: match.title },
      { name: "updates", value: updateCount, unit: `of ${gamesPerUpdate} games` },
      { name: "games of self-play", value: games },
      ...(controlGames === 0
        ? []
        : [{ name: "games of controls", value: controlGames, unit: "in which one seat learns" }]),
      { name: "turns", value: turns, unit: "at most" },
      { name: "measured", value: rounds + 1, unit: "times, exactly" },
      { name: "models", value: models },
      { name: "parameters of a model", value: parameterCount },
      {
        name: "a crash costs at most",
        value: updatesPerRound,
        unit: "updates, whose games are kept and not played again",
      },
      {
        name: "model",
        value: `from scratch: width ${width}, ${layerCount} layers, ${headCount} heads`,
      },
    ],
    steps: [
      "policy-start",
      `policy: ${rounds} rounds of ${updatesPerRound} updates, each measured at its end`,
      ...options.controls.map((control) => `control-${control}: as many rounds`),
    ],
    memoryBytes: models * 4 * 4 * parameterCount + activationBytesOf(options.architecture, trained),
    diskBytes:
      turns * recordBytesPerTurn +
      (games + controlGames) * recordBytesPerGame +
      models * (options.pool.size + 1) * checkpointBytes,
    inputs: [],
  };
}
