/**
 * Games of OpenSpiel and TextArena as services of a table. Each call names a state by all that led to
 * it, so that nothing is lost with the process. The matches that use them are in `games`; this file
 * knows no rules.
 */
import { z } from "zod";
import { canonicalJson, type CallOptions, type JsonValue } from "../../base/index.ts";
import { PythonBridge, type PythonBridgeOptions } from "./bridge.ts";
import { bridgeError } from "./bridge-errors.ts";

/** Where games come from; also the name of the service. */
export type PythonLibrary = "open-spiel" | "textarena";

export const pythonLibraries: readonly PythonLibrary[] = ["open-spiel", "textarena"];

export type PythonService = (input: JsonValue, call: CallOptions) => Promise<JsonValue>;

export interface PythonProbe {
  readonly executable: string;
  /** Versions; null for what is not installed. */
  readonly packages: Readonly<Record<PythonLibrary, string | null>>;
}

export interface PythonGames extends AsyncDisposable {
  /** For `playEpisodes`, by the names that the matches call. */
  readonly services: Readonly<Record<PythonLibrary, PythonService>>;
  /**
   * What `openSpielMatch` and `textarenaMatch` make a match from. Names are those of the library:
   * `kuhn_poker(players=3)`, `SecretMafia-v0`; TextArena's may end in `(players=7)`.
   *
   * @throws `unknown-game`, `game-unsupported`, `package-missing`, and what `PythonBridge` throws
   */
  describe(library: PythonLibrary, name: string, call?: CallOptions): Promise<JsonValue>;
  /** What is installed. */
  probe(call?: CallOptions): Promise<PythonProbe>;
  /** Ends the process. */
  close(): Promise<void>;
}

/** Nothing is started before the first call. */
export function startPythonGames(options: PythonBridgeOptions): PythonGames {
  const bridge = new PythonBridge(options);
  const serve =
    (library: PythonLibrary): PythonService =>
    (input, call) =>
      bridge.call(library, input, call);
  const close = (): Promise<void> => bridge.close();
  return {
    services: { "open-spiel": remembered(serve("open-spiel")), textarena: serve("textarena") },
    describe: async (library, name, call) =>
      bridge.call(
        `describe ${library}`,
        library === "textarena" ? textarenaName(name) : { game: name },
        call,
      ),
    probe: async (call) => probeSchema.parse(await bridge.call("probe", null, call)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const probeSchema = z.object({
  executable: z.string(),
  packages: z.object({ "open-spiel": z.string().nullable(), textarena: z.string().nullable() }),
});

/** @throws `unknown-game` */
function textarenaName(name: string): JsonValue {
  const read = /^(?<game>[^()]+)(?:\(players=(?<players>\d{1,2})\))?$/u.exec(name)?.groups;
  const game = read?.["game"];
  if (game === undefined)
    throw bridgeError("unknown-game", `expected a name of TextArena, got ${JSON.stringify(name)}`, {
      hint: "write it like SecretMafia-v0 or SecretMafia-v0(players=7)",
    });
  const players = read?.["players"];
  return { game, players: players === undefined ? null : Number(players) };
}

const mostRemembered = 20_000;

/** States of OpenSpiel are pure functions of their name: the last ones are kept, most used by exact analysis. */
function remembered(service: PythonService): PythonService {
  const known = new Map<string, JsonValue>();
  return async (input, call) => {
    const key = canonicalJson(input);
    const kept = known.get(key);
    if (kept !== undefined) return kept;
    const output = await service(input, call);
    known.set(key, output);
    if (known.size > mostRemembered)
      for (const oldest of known.keys()) {
        known.delete(oldest);
        break;
      }
    return output;
  };
}
