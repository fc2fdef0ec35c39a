/**
 * The result of a run as an opponent: its policy, the tokens that its recipe makes of prompts, and the
 * task that it played, all from the run folder.
 */
import { present, SparError, suggestName, type JsonValue } from "../../base/index.ts";
import type { Engine } from "../../contract/index.ts";
import type { Match } from "../../games/index.ts";
import { policyPlayer, type Player } from "../../players/index.ts";
import type { RunReader } from "../../store/index.ts";
import type { SavedPolicy, SavedWeights } from "../../train/index.ts";
import { engineSettings } from "../commands/engine-options.ts";
import { findEngine, startEngine } from "../discovery/engines.ts";
import { openRun } from "../discovery/open-run.ts";
import { choosePolicy } from "../sample/choose-policy.ts";
import { keptPolicies } from "../sample/kept-policies.ts";
import { loadWeights, tokenizerOf } from "../sample/load-weights.ts";
import { rendererOf } from "../sample/run-renderer.ts";
import type { Opponent, OpponentRequest } from "./opponent.ts";

/** Enough to see who sits where; a run may hold a hundred thousand. */
const mostEpisodesRead = 500;
/** A game asks for less where it wants less. */
const longestReplyTokens = 512;

/** @throws `not-a-run`, `game-not-played`, `record-unknown`, and what engines throw */
export async function runOpponent(request: OpponentRequest): Promise<Opponent> {
  const { shell, match, typed } = request;
  const { place, workingFolder } = shell;
  using reader = openRun(typed, request.runsFolder, shell);
  const played = playedIn(reader, match);
  const located = await findEngine({
    typed: request.engine ?? reader.manifest.engine.name,
    place,
    workingFolder,
  });
  const engine = await startEngine(
    located,
    engineSettings(located, {}, shell, reader.manifest.engine.options),
  );
  try {
    const policies = keptPolicies(reader);
    const chosen = new Map(
      match.seats.map((seat) => {
        const name = request.policy ?? policyOfSeat(policies, played, seat);
        return [seat, choosePolicy(policies, name)] as const;
      }),
    );
    const seated = new Map<SavedPolicy, SeatedPolicy>();
    for (const policy of new Set(chosen.values()))
      seated.set(policy, await seatPolicy({ ...request, reader, engine, policy }));
    const inSeat = (seat: string): SeatedPolicy =>
      present(seated.get(present(chosen.get(seat), `a seat of ${match.id}`)), "its policy");
    return {
      labelIn: (seat) => inSeat(seat).label,
      playerIn: (seat) => inSeat(seat).player,
      task: played.task,
      close: () => engine.close(),
    };
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
}

interface SeatedPolicy {
  readonly player: Player;
  readonly label: string;
}

async function seatPolicy(
  request: Omit<OpponentRequest, "engine" | "policy"> & {
    readonly reader: RunReader;
    readonly engine: Engine;
    readonly policy: SavedPolicy;
  },
): Promise<SeatedPolicy> {
  const { reader, engine, policy, recipe, shell, signal, temperature } = request;
  const weights = chooseWeights(policy, request.policyVersion);
  const { model, version, label } = await loadWeights({ engine, reader, weights, signal });
  const tokenizer = await tokenizerOf(reader, policy, model);
  const player = policyPlayer({
    name: policy.name,
    kind: "frozen",
    version,
    engine,
    renderer: await rendererOf({ reader, tokenizer, recipe, shell }),
    contextLength: model.contextLength,
    sampling: { maxTokens: longestReplyTokens, temperature },
  });
  return { player, label: `${policy.name} of ${reader.manifest.id}, ${label}` };
}

interface Played {
  readonly task: JsonValue;
  /** Seat to the policies that sat there. */
  readonly policies: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What the run played of this game. @throws `game-not-played` */
function playedIn(reader: RunReader, match: Match): Played {
  const policies = new Map(match.seats.map((seat) => [seat, new Set<string>()] as const));
  const others = new Set<string>();
  let task: JsonValue | undefined;
  let count = 0;
  for (const { start } of reader.episodes()) {
    if (count++ >= mostEpisodesRead) break;
    if (start.game !== match.id) {
      others.add(start.game);
      continue;
    }
    task ??= start.task;
    for (const [seat, { version }] of Object.entries(start.seats))
      if (version !== null) policies.get(seat)?.add(version.modelId);
  }
  if (task !== undefined) return { task, policies };
  throw new SparError({
    code: "game-not-played",
    boundary: "command",
    message: `the run ${reader.manifest.id} has not played ${match.id}`,
    hint:
      others.size === 0
        ? "it has played nothing; choose a run that learned this game"
        : `it has played ${[...others].join(", ")}`,
  });
}

/** The first policy of the run that ever sat there; undefined leaves it to the usual choice. */
function policyOfSeat(policies: readonly SavedPolicy[], played: Played, seat: string): string | undefined {
  return policies.find(({ name }) => played.policies.get(seat)?.has(name) === true)?.name;
}

/** The last ones, or those of a version. @throws `record-unknown` */
function chooseWeights({ name, weights }: SavedPolicy, number: number | undefined): SavedWeights {
  const chosen =
    number === undefined ? weights.at(-1) : weights.find(({ label }) => label === `version ${number}`);
  if (chosen !== undefined) return chosen;
  const labels = weights.map(({ label }) => label);
  throw new SparError({
    code: "record-unknown",
    boundary: "command",
    message: `the run has kept no version ${number ?? ""} of ${name}`,
    hint: suggestName(`version ${number ?? ""}`, labels),
  });
}
