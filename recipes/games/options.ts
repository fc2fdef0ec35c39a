/** The options of self-play from nothing, with units in their names. Knows no engine. */
import { z } from "zod";

const positiveInteger = z.int().positive();
const share = z.number().min(0).max(1);

export const gamesOptions = z.strictObject({
  game: z
    .enum(["tic-tac-toe", "kuhn-poker"])
    .default("tic-tac-toe")
    .describe("what is played; both are small enough that figures are exact"),
  architecture: z
    .strictObject({
      width: positiveInteger.default(48).describe("numbers per position, a multiple of four times headCount"),
      layerCount: positiveInteger.default(2).describe("layers, each of attention and feed-forward"),
      headCount: positiveInteger.default(4).describe("heads of attention per layer"),
      positions: z
        .enum(["rotary", "learned", "linear-bias"])
        .default("learned")
        .describe("how the model knows where a token stands"),
      tiedEmbeddings: z.boolean().default(false).describe("reads and writes tokens with the same weights"),
    })
    .prefault({})
    .describe("the model, with random weights: it is told nothing about the game"),
  policyPerSeat: z
    .boolean()
    .default(false)
    .describe("a model for each seat, trained in the same games; else one model plays all seats"),
  updateCount: positiveInteger
    .default(900)
    .describe("times that a batch of games is played and learned from"),
  gamesPerUpdate: positiveInteger.default(128).describe("games in an update"),
  minibatchCount: positiveInteger
    .default(2)
    .describe("optimizer steps in an update, each on its share of the rows"),
  updatesPerRound: positiveInteger
    .default(30)
    .describe("updates between two measurements; also what a crash can cost at most"),
  opponent: z
    .enum(["mirror", "pool", "random"])
    .default("mirror")
    .describe(
      "who sits opposite: the policy itself, past versions of it in a share of the games, or a player of random legal moves",
    ),
  pool: z
    .strictObject({
      share: share.default(0.5).describe("share of the games that are played against past versions"),
      strategy: z
        .enum(["latest", "uniform", "prioritised-hard", "prioritised-even"])
        .default("uniform")
        .describe(
          "how the past version is drawn; prioritised prefers those that win, or those of the same strength",
        ),
      size: positiveInteger.default(8).describe("past versions that are kept, one per round"),
    })
    .prefault({}),
  randomOpeningShare: share
    .default(0.5)
    .describe(
      "share of the games whose first move is a random legal one: replies to every opening are learned, also to those that the policy has given up",
    ),
  baseline: z
    .enum(["history", "turn", "role", "batch", "none"])
    .default("turn")
    .describe(
      "what a return is compared with: the batch's mean after the same history, at the same seat and turn, a moving average per seat, the batch's mean, or nothing",
    ),
  baselineDecay: share.default(0.95).describe("of the moving average, per update; baseline role only"),
  learningRate: z.number().positive().default(3e-3).describe("at the start; it falls linearly"),
  finalLearningRateShare: share
    .default(0.05)
    .describe("where the linear schedule ends, as a share of the rate"),
  clipGradientNorm: z.number().nonnegative().default(1).describe("0 does not clip"),
  entropy: z
    .strictObject({
      control: z
        .enum(["target", "schedule"])
        .default("target")
        .describe(
          "whether the coefficient is steered so that the mean entropy of a move follows a target, or falls linearly whatever happens",
        ),
      start: z.number().nonnegative().default(0.15).describe("coefficient at the first update"),
      end: z.number().nonnegative().default(0.02).describe("coefficient at the last update; schedule only"),
      targetStartNats: z.number().nonnegative().default(2).describe("mean entropy that is aimed at first"),
      targetEndNats: z.number().nonnegative().default(0.5).describe("mean entropy that is aimed at last"),
      gain: z
        .number()
        .positive()
        .default(0.1)
        .describe("change of the coefficient's logarithm per update and nat of distance; target only"),
    })
    .prefault({})
    .describe("of the entropy bonus per move; without a bonus the first habit wins"),
  controls: z
    .array(z.enum(["random-opponent"]))
    .default(["random-opponent"])
    .describe(
      "trained beside it with the same number of own moves: a policy that meets random legal moves only",
    ),
  ladder: z
    .strictObject({
      versions: z
        .int()
        .nonnegative()
        .default(4)
        .describe("versions from the first to the last that are rated in the end; 0 rates none"),
      matchesPerPairing: positiveInteger.default(10).describe("of each two players, in each seat"),
    })
    .prefault({})
    .describe("a tournament of versions, a random player and the solution of the game"),
  concurrency: positiveInteger.default(256).describe("games that are played at once"),
  seatShareAlarm: share
    .default(0.9)
    .describe("a seat that wins this share of the finished games of a round raises the collapse alarm"),
  forfeitShareAlarm: share
    .default(0.5)
    .describe("a seat that forfeits this share of the games after the first round raises the alarm"),
});

export type GamesOptions = z.output<typeof gamesOptions>;
