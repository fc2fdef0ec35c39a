/**
 * Self-play from scratch, on nothing but the engine contract: read this first.
 *
 * The game is Nim. A pile of sticks lies on the table, two players take one, two or three in turn,
 * and who takes the last stick wins. The solution is known: leave a multiple of four. A tiny
 * transformer with random weights plays both seats, learns from who won, and is told nothing else:
 * not the solution, not even which moves are legal.
 *
 * The whole of self-play is here: sample -> reward -> datum -> forwardBackward -> optimStep ->
 * publish, and again. The other recipes say the same with help: games, recorded runs, resume,
 * controls, alarms.
 *
 * Run it: npm run from-scratch
 */
import { createRandom, type Random } from "spar/base";
import { tokens, type Datum, type Engine, type Model, type PolicyVersion } from "spar/contract";

// ---- The game ------------------------------------------------------------------------------------

const largestPile = 21;
const largestTake = 3;
/** Token ids: 0 .. 21 say how many sticks lie there, 22 .. 24 say "take one, two, three". */
const sticksTaken = (token: number): number => token - largestPile;
const vocabularySize = largestPile + largestTake + 1;

const isLegal = (pile: number, sticks: number): boolean =>
  sticks >= 1 && sticks <= largestTake && sticks <= pile;

// ---- Playing -------------------------------------------------------------------------------------

/** One move as it was sampled: the state, the token, and the log-probability that it had (nats). */
interface Move {
  readonly pile: number;
  readonly token: number;
  readonly logprob: number;
  readonly seat: 0 | 1;
}

interface PlayedGame {
  readonly moves: readonly Move[];
  readonly winner: 0 | 1;
}

/** Plays one game, the same version in both seats. An illegal move loses at once. */
async function playGame(engine: Engine, version: PolicyVersion, random: Random): Promise<PlayedGame> {
  const moves: Move[] = [];
  let pile = 1 + random.integer(largestPile);
  let seat: 0 | 1 = 0;
  for (;;) {
    const { sequences } = await engine.sample(version, {
      prompt: [tokens([pile])],
      parameters: { maxTokens: 1, seed: random.seed() },
    });
    const sequence = sequences[0];
    const token = sequence?.tokenIds[0];
    const logprob = sequence?.logprobs[0];
    if (token === undefined || logprob === undefined) throw new Error("the sampler returned no token");
    moves.push({ pile, token, logprob, seat });
    const opponent: 0 | 1 = seat === 0 ? 1 : 0;
    if (!isLegal(pile, sticksTaken(token))) return { moves, winner: opponent };
    pile -= sticksTaken(token);
    if (pile === 0) return { moves, winner: seat };
    seat = opponent;
  }
}

// ---- Learning ------------------------------------------------------------------------------------

/**
 * The moves of one batch of games as training rows. The reward of a move is +1 where its player won
 * and -1 where it lost, plus a bonus for moves that were unlikely: without it the policy settles on
 * the first habit that works before it has tried the rest. The advantage is the reward minus the
 * mean over moves made at the same pile, so that a move is judged by whether it was better than
 * usual there. Weights divide by the number of moves: losses are sums, this one is meant as a mean.
 */
function toDatums(games: readonly PlayedGame[], entropyBonus: number): Datum[] {
  const rewards = games.flatMap((game) =>
    game.moves.map((move) => ({
      move,
      reward: (move.seat === game.winner ? 1 : -1) - entropyBonus * move.logprob,
    })),
  );
  const meanReward = new Map<number, number>();
  for (const [pile, group] of Map.groupBy(rewards, ({ move }) => move.pile)) {
    meanReward.set(pile, group.reduce((sum, { reward }) => sum + reward, 0) / group.length);
  }
  return rewards.map(({ move, reward }) => ({
    input: [tokens([move.pile])],
    targets: Int32Array.of(move.token),
    weights: Float32Array.of(1 / rewards.length),
    advantages: Float32Array.of(reward - (meanReward.get(move.pile) ?? 0)),
    behaviorLogprobs: Float32Array.of(move.logprob),
  }));
}

// ---- Measuring -----------------------------------------------------------------------------------

export interface NimSkill {
  /** Share of the piles that can be won from which the most likely move wins. */
  readonly winningMoves: number;
  /** Share of all piles from which the most likely move is legal. */
  readonly legalMoves: number;
}

/** Exact: there are only 21 piles, and the winning move from each is `pile mod 4`. */
export async function measureSkill(engine: Engine, version: PolicyVersion): Promise<NimSkill> {
  const piles = Array.from({ length: largestPile }, (_, index) => index + 1);
  const takes = await Promise.all(
    piles.map(async (pile) => {
      const { sequences } = await engine.sample(version, {
        prompt: [tokens([pile])],
        parameters: { maxTokens: 1, temperature: 0, seed: 0 },
      });
      return { pile, sticks: sticksTaken(sequences[0]?.tokenIds[0] ?? 0) };
    }),
  );
  const winnable = takes.filter(({ pile }) => pile % (largestTake + 1) !== 0);
  const won = winnable.filter(({ pile, sticks }) => sticks === pile % (largestTake + 1));
  const legal = takes.filter(({ pile, sticks }) => isLegal(pile, sticks));
  return { winningMoves: won.length / winnable.length, legalMoves: legal.length / takes.length };
}

// ---- The loop ------------------------------------------------------------------------------------

export interface NimOptions {
  readonly seed: number;
  readonly updates: number;
  readonly gamesPerUpdate: number;
  readonly learningRate: number;
  /** Reward for a move of log-probability -1 nat; falls linearly to zero over the updates. */
  readonly entropyBonus: number;
}

export const nimDefaults: NimOptions = {
  seed: 1,
  updates: 150,
  gamesPerUpdate: 128,
  learningRate: 3e-3,
  entropyBonus: 0.3,
};

/** Trains by self-play and reports skill every ten updates; returns the last measurement. */
export async function learnNim(
  engine: Engine,
  options: NimOptions,
  report: (update: number, skill: NimSkill) => void,
): Promise<NimSkill> {
  const random = createRandom(options.seed);
  const model = await engine.createModel({
    name: "nim",
    from: {
      kind: "architecture",
      architecture: { vocabularySize, contextLength: 2, width: 32, layerCount: 2, headCount: 2 },
      seed: random.split("weights").seed(),
    },
  });
  let version = await model.publish();
  let skill = await measureSkill(engine, version);
  report(0, skill);
  for (let update = 1; update <= options.updates; update++) {
    const games = await Promise.all(
      Array.from({ length: options.gamesPerUpdate }, (_, game) =>
        playGame(engine, version, random.split("game", update, game)),
      ),
    );
    const entropyBonus = options.entropyBonus * (1 - update / options.updates);
    await learn(model, toDatums(games, entropyBonus), options);
    await engine.releaseVersion(version);
    version = await model.publish();
    if (update % 10 > 0 && update < options.updates) continue;
    skill = await measureSkill(engine, version);
    report(update, skill);
  }
  await engine.releaseVersion(version);
  await model.release();
  return skill;
}

/**
 * One update. Both calls are sent together: the engine executes them in order. The importance
 * ratio exp(l - q) is 1 here, since the weights that learn are the weights that played.
 */
async function learn(model: Model, data: readonly Datum[], options: NimOptions): Promise<void> {
  await Promise.all([
    model.forwardBackward(data, { kind: "importanceSampling" }),
    model.optimStep({ kind: "adam", learningRate: options.learningRate, clipGradientNorm: 1 }),
  ]);
}

// ---- The program ---------------------------------------------------------------------------------

if (import.meta.main) {
  const { createEngine } = await import("spar/engines/embedded");
  const engine = createEngine();
  const percent = (share: number): string => `${(share * 100).toFixed(0).padStart(4)} %`;
  process.stdout.write("update   winning moves found   legal moves\n");
  await learnNim(engine, nimDefaults, (update, skill) => {
    process.stdout.write(
      `${String(update).padStart(6)}   ${percent(skill.winningMoves).padStart(19)}   ${percent(skill.legalMoves)}\n`,
    );
  });
  await engine.close();
}
