/** What an engine may export for `spar engine`: how it is installed, and servers of it that outlive a run. */
import type { CallOptions, JsonObject } from "../../base/index.ts";
import type { EngineSurroundings } from "./engines.ts";

export interface EngineWork {
  planInstallation?(surroundings: EngineSurroundings): InstallationPlan;
  install?(options: InstallOptions, call?: CallOptions): Promise<Installation>;
  startServer?(options: ServerStart, call?: CallOptions): Promise<ListedServer>;
  listServers?(surroundings: EngineSurroundings): readonly ListedServer[];
  /** @throws `invalid-input` where none has the name */
  stopServer?(surroundings: EngineSurroundings, name: string, call?: CallOptions): Promise<StoppedServer>;
}

export interface InstallationPlan {
  readonly folder: string;
  /** In words. */
  readonly what: string;
  /** About, on the disk. */
  readonly bytes: number;
  readonly isInstalled: boolean;
}

export interface InstallOptions extends EngineSurroundings {
  readonly python?: string;
  readonly onProgress: (text: string) => void;
}

export interface Installation {
  readonly folder: string;
  readonly packages: Readonly<Record<string, string>>;
}

export interface ServerStart extends EngineSurroundings {
  readonly name?: string;
  /** `name=folder` each. */
  readonly models: readonly string[];
  readonly threadCount?: number;
  readonly options: JsonObject;
  readonly nowMs: number;
  readonly onProgress: (text: string) => void;
}

export interface ListedServer {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly models: readonly string[];
  readonly startedMs: number;
  readonly isAlive: boolean;
  readonly keyFile: string;
  readonly logFile: string;
}

export interface StoppedServer {
  readonly name: string;
  readonly wasAlive: boolean;
  /** What clients saved there, which stays. */
  readonly statesFolder: string | null;
}
