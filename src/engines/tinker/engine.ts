/**
 * The engine `tinker`: any server that speaks the wire of the Tinker training API. `--engine tinker --url URL` asks
 * the server what it is; `--engine tinker:skyrl` and the like name its profile. Found by folder, loaded when it is used.
 */
import type { CallOptions } from "../../base/index.ts";
import type { Capability, EngineDescription } from "../../contract/index.ts";
import { connect } from "./client/connection.ts";
import type { ConnectOptions } from "./client/connect-options.ts";
import type { ProfileId } from "./client/profile.ts";
import { tinkerError } from "./errors.ts";
import { profiles } from "./profiles/detect.ts";
import { TinkerEngine, type ServerOwner } from "./tinker-engine.ts";

/** A profile, or `auto`: the server is asked. */
export type TinkerExecutor = ProfileId | "auto";

export interface TinkerEngineOptions extends Omit<ConnectOptions, "url" | "profile"> {
  /** The server's address: `http://127.0.0.1:8000`. */
  readonly url?: string;
  /** Which kind of server it is. Default `auto`. */
  readonly executor?: TinkerExecutor;
  /** What the server computes in, where it does not say so itself; tolerances depend on it. Default `bfloat16`. */
  readonly precision?: EngineDescription["precision"];
  /** Where the server was started for this engine alone: it ends with the engine. */
  readonly owner?: ServerOwner;
}

/** The usual one first. What a server of ours can do it says itself. */
export const executors: readonly {
  readonly name: TinkerExecutor;
  readonly capabilities?: ReadonlySet<Capability>;
}[] = [
  { name: "auto" },
  ...profiles.map(({ id, capabilities }) =>
    id === "spar" ? { name: id } : { name: id, capabilities: new Set(capabilities) },
  ),
];

/** Of a server's capabilities, what this client cannot ask for yet. It has its place on the wire. */
const notYet: ReadonlySet<Capability> = new Set<Capability>(["images"]);

/** It is used where a server is, so its address comes first; null where the environment names it. */
export function setUpCommand({
  environment,
}: {
  readonly environment: Readonly<Record<string, string | undefined>>;
}): string | null {
  const url = environment["SPAR_TINKER_URL"] ?? "";
  return url === "" ? "export SPAR_TINKER_URL=http://127.0.0.1:8000, or give --url" : null;
}

/**
 * Begins a session with a server; it ends with `close`.
 *
 * @throws `server-unreachable`, `key-refused`, `request-refused` without an address, `unexpected-answer`
 */
export async function createEngine(
  options: TinkerEngineOptions = {},
  call: CallOptions = {},
): Promise<TinkerEngine> {
  const { url, executor = "auto", precision = "bfloat16", owner, ...rest } = options;
  if (url === undefined) {
    throw tinkerError("request-refused", "engine tinker needs the address of a server", {
      hint: "--url http://127.0.0.1:8000, or the environment variable SPAR_TINKER_URL",
    });
  }
  const profile = executor === "auto" ? {} : { profile: executor };
  const connection = await connect({ ...rest, url, ...profile }, call);
  const able = connection.profile.capabilities.filter((capability) => !notYet.has(capability));
  return new TinkerEngine(connection, {
    capabilities: new Set(able),
    precision,
    ...(owner === undefined ? {} : { owner }),
  });
}
