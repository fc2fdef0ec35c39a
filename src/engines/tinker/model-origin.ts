/** What a new model is made from, in the words of the wire: a base, an architecture, a saved state, a version. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import {
  capabilityMissing,
  engineError,
  type Capability,
  type CreateModelOptions,
  type PolicyVersion,
} from "../../contract/index.ts";
import type { JsonObject, JsonValue } from "../../base/index.ts";
import type { NewModelOptions } from "./client/new-model.ts";
import type { Connection } from "./client/connection.ts";
import type { PublishedVersion } from "./published.ts";
import { readState, type ModelOrigin } from "./state-folder.ts";

/** A model to make, and the state to load into it. */
export interface Start {
  readonly origin: Omit<ModelOrigin, "sizes">;
  readonly load: {
    readonly path: string;
    readonly includeOptimizer: boolean;
    readonly stepCount: number;
  } | null;
}

export interface StartContext {
  readonly connection: Connection;
  readonly capabilities: ReadonlySet<Capability>;
  find(version: PolicyVersion): PublishedVersion;
}

/** @throws `capability-missing`, `invalid-input`, `state-unreadable`, `version-unknown` */
export async function startOf(options: CreateModelOptions, context: StartContext): Promise<Start> {
  const need = (capability: Capability): void => {
    if (!context.capabilities.has(capability)) throw capabilityMissing("tinker", capability);
  };
  if (options.head === "value") need("values");
  const { from } = options;
  switch (from.kind) {
    case "base":
      checkBase(from.nameOrFolder, context);
      need(options.tuning?.kind === "lora" ? "lora" : "full-finetune");
      return {
        origin: { baseModel: baseName(from.nameOrFolder, context), ...adapterOf(options, context) },
        load: null,
      };
    case "architecture":
      need(options.tuning?.kind === "lora" ? "lora" : "full-finetune");
      return {
        origin: { baseModel: "", ...adapterOf(options, context, architectureJson(from, context)) },
        load: null,
      };
    case "saved": {
      const state = await readState(from.folder);
      const includeOptimizer = from.includeOptimizer ?? true;
      const stepCount = includeOptimizer ? state.stepCount : 0;
      return { origin: state, load: { path: state.path, includeOptimizer, stepCount } };
    }
    case "version": {
      const { origin, statePath } = context.find(from.version);
      if (statePath === null) {
        throw engineError(
          "invalid-input",
          `expected a version that was published as trainable, got ${from.version.address}`,
          {
            hint: "publish with { trainable: true }",
          },
        );
      }
      return { origin, load: { path: statePath, includeOptimizer: false, stepCount: 0 } };
    }
  }
}

/** The origin as the client takes it. */
export function newModelOptions(origin: Start["origin"]): NewModelOptions {
  const { baseModel, lora, extension } = origin;
  return {
    baseModel,
    ...(lora === null ? {} : { lora: { rank: lora.rank, seed: lora.seed } }),
    ...(Object.keys(extension).length === 0 ? {} : { extension }),
  };
}

/** Names that the server lists are there; others it may fetch, where it can. */
function checkBase(name: string, { connection, capabilities }: StartContext): void {
  const isKnown = connection.server.models.some((model) => model.name === name);
  if (!isKnown && !capabilities.has("hub-models") && !existsSync(name))
    throw capabilityMissing("tinker", "hub-models");
}

/** What the server calls a base: its name for it, or, where files are shared, the folder from the root. */
function baseName(name: string, { connection }: StartContext): string {
  const isKnown = connection.server.models.some((model) => model.name === name);
  return !isKnown && connection.sharesFiles && existsSync(name) ? resolve(name) : name;
}

function adapterOf(
  options: CreateModelOptions,
  { connection }: StartContext,
  more: JsonObject = {},
): Pick<ModelOrigin, "lora" | "extension"> {
  const { tuning, head, tokenizer } = options;
  const { fixedLoraAlpha, id } = connection.profile;
  const lora = tuning?.kind === "lora" ? { rank: tuning.rank, seed: tuning.seed, alpha: tuning.alpha } : null;
  if (lora !== null && fixedLoraAlpha !== null && lora.alpha !== fixedLoraAlpha) {
    throw engineError(
      "invalid-input",
      `expected alpha ${fixedLoraAlpha} on a server of profile ${id}, got ${lora.alpha}`,
      {
        hint: `its adapters are scaled by ${fixedLoraAlpha} / rank whatever is asked for`,
      },
    );
  }
  if (connection.server.spar === undefined) return { lora, extension: {} };
  const extension = {
    ...more,
    ...(lora === null ? {} : { lora_alpha: lora.alpha }),
    ...(head === undefined ? {} : { head }),
    ...(tokenizer === undefined
      ? {}
      : {
          tokenizer: {
            tokenizer_json: tokenizer.tokenizerJson,
            tokenizer_config_json: tokenizer.tokenizerConfigJson,
          },
        }),
  };
  return { lora, extension };
}

function architectureJson(
  from: Extract<CreateModelOptions["from"], { kind: "architecture" }>,
  { connection }: StartContext,
): JsonObject {
  if (connection.server.spar === undefined) {
    throw engineError(
      "invalid-input",
      "expected a base model, got an architecture: this server builds no models",
      {
        hint: "name one of its base models",
      },
    );
  }
  const given: Readonly<Record<string, JsonValue | undefined>> = { ...from.architecture };
  const architecture: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) architecture[snakeCase(name)] = value;
  }
  return { architecture, seed: from.seed };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
}
