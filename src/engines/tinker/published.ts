/** What the engine and its models share: the session, what can be done, and what was published. */
import type { Capability, PolicyVersion } from "../../contract/index.ts";
import type { Connection } from "./client/connection.ts";
import type { ModelOrigin } from "./state-folder.ts";

/** What is known of a published version. */
export interface PublishedVersion {
  readonly origin: ModelOrigin;
  /** The saved state, where it can be trained from. */
  readonly statePath: string | null;
}

export interface EngineHost {
  readonly connection: Connection;
  readonly capabilities: ReadonlySet<Capability>;
  published(version: PolicyVersion, facts: PublishedVersion): void;
  /** The name is free again. */
  released(name: string): void;
}
