/**
 * Counterfactual regret minimisation over a whole tree: both seats play, regret what other choices would
 * have brought, and their average comes near an equilibrium. Deterministic, exact in float64.
 */
import { averageOf, compile, type Learner, type Place } from "./regret-places.ts";
import { exploitabilityOf } from "./best-response.ts";
import { breathe } from "./breathe.ts";
import type { MatchTree } from "./grow-tree.ts";
import type { Profile } from "./profiles.ts";

export interface RegretOptions {
  /** It is done where the average has no more NashConv than this; default 1e-3, in the unit of returns. */
  readonly targetNashConv?: number;
  /** It ends here in any case; default 10,000. */
  readonly maximumIterations?: number;
  readonly signal?: AbortSignal;
  /** Told each time NashConv was computed, which is done more and more rarely. */
  readonly onProgress?: (progress: RegretProgress) => void;
}

export interface RegretProgress {
  readonly iterationCount: number;
  /** Of the average. */
  readonly nashConv: number;
}

export interface MinimizedRegret extends RegretProgress {
  /** The average of all iterations. Without illegal replies. */
  readonly profile: Profile;
  /** What each seat gets by the profile. */
  readonly returns: Readonly<Record<string, number>>;
}

const defaultTargetNashConv = 1e-3;
const defaultMaximumIterations = 10_000;
/** NashConv costs as much as an iteration or two: it is computed each time the count has grown by so much. */
const growthBetweenChecks = 1.25;
/** Some milliseconds of work. */
const placesPerBreath = 50_000;

/**
 * CFR+: seats learn in alternation, regrets never fall below zero, and iteration t weighs t in the average.
 *
 * @paper Tammelin, Solving Large Imperfect Information Games Using CFR+ (2014), arXiv:1407.5042: regret
 * matching+ is R(t) = max(R(t-1) + r(t), 0), the average is weighted linearly
 * @throws `not-solvable` for a tree of more than two seats, or with an end whose returns do not add up to
 * zero; `aborted`
 */
export async function minimizeRegret(tree: MatchTree, options: RegretOptions = {}): Promise<MinimizedRegret> {
  const {
    targetNashConv = defaultTargetNashConv,
    maximumIterations = defaultMaximumIterations,
    signal,
  } = options;
  if (!(maximumIterations >= 1))
    throw new RangeError(`maximumIterations must be 1 or more, got ${maximumIterations}`);
  const { root, learners, placeCount } = compile(tree);
  let nextCheck = 1;
  let placesSinceBreath = 0;
  for (let iterationCount = 1; ; iterationCount++) {
    for (const seat of [1, -1] as const) {
      learn(root, { seat, weight: iterationCount, own: 1, others: 1 });
      for (const learner of learners) if (learner.seat === seat) takeRegrets(learner);
    }
    placesSinceBreath += 2 * placeCount;
    if (placesSinceBreath >= placesPerBreath) {
      placesSinceBreath = 0;
      await breathe(signal, "the search for an equilibrium");
    }
    const isLast = iterationCount >= maximumIterations;
    if (iterationCount < nextCheck && !isLast) continue;
    nextCheck = Math.ceil(iterationCount * growthBetweenChecks);
    const profile = averageOf(learners);
    const { nashConv, returns } = exploitabilityOf(tree, profile);
    options.onProgress?.({ iterationCount, nashConv });
    if (isLast || nashConv <= targetNashConv) return { profile, returns, nashConv, iterationCount };
  }
}

type Decision = Extract<Place, { readonly kind: "decision" }>;

interface Pass {
  /** Who learns in this pass: 1 the first, -1 the second. */
  readonly seat: 1 | -1;
  /** Of its strategy in the average. */
  readonly weight: number;
  /** How likely its own replies lead here. */
  readonly own: number;
  /** How likely chance and the other lead here. */
  readonly others: number;
}

/** What the learning seat gets from here; adds up its regrets and its average on the way. */
function learn(place: Place, pass: Pass): number {
  if (place.kind === "end") return pass.seat * place.value;
  if (place.kind === "decision" && place.learner.seat === pass.seat) return learnHere(place, pass);
  let value = 0;
  for (const [index, next] of place.places.entries()) {
    const share = place.kind === "chance" ? 1 / place.places.length : (place.learner.strategy[index] ?? 0);
    value += share * learn(next, { ...pass, others: pass.others * share });
  }
  return value;
}

function learnHere({ learner, places }: Decision, pass: Pass): number {
  const { strategy, gains, sums } = learner;
  const { weight, own, others } = pass;
  let value = 0;
  const values = places.map((next, index) => {
    const share = strategy[index] ?? 0;
    const nextValue = learn(next, { ...pass, own: own * share });
    value += share * nextValue;
    sums[index] = (sums[index] ?? 0) + weight * own * share;
    return nextValue;
  });
  // The difference first: equal values leave no regret at all, where rounding would prefer one of them.
  for (const [index, nextValue] of values.entries())
    gains[index] = (gains[index] ?? 0) + others * (nextValue - value);
  return value;
}

/** Regret matching+: choices are as likely as they are regretted; where nothing is, all are equally likely. */
function takeRegrets({ regrets, gains, strategy }: Learner): void {
  let total = 0;
  for (const [index, gain] of gains.entries()) {
    const regret = Math.max((regrets[index] ?? 0) + gain, 0);
    regrets[index] = regret;
    total += regret;
  }
  gains.fill(0);
  for (const [index, regret] of regrets.entries())
    strategy[index] = total > 0 ? regret / total : 1 / strategy.length;
}
