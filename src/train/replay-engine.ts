/** What stands in for the engine when a finished run is told again: a description, and nothing that computes. */
import { present } from "../base/index.ts";
import { capabilityMeanings, engineError, type Capability, type Engine, type EngineDescription } from "../contract/index.ts";
import type { RunManifest } from "../store/index.ts";

/** An engine that describes the one of the run and refuses to work. */
export function replayOnlyEngine(manifest: RunManifest): Engine {
  const refuse = (): never => {
    throw engineError("engine-closed", "expected a finished run to need no engine");
  };
  const refuseLater = async (): Promise<never> => refuse();
  const { description, capabilities } = manifest.engine;
  return {
    description: describe(description),
    capabilities: new Set(capabilities.filter(isCapability)),
    createModel: refuseLater,
    sample: refuseLater,
    computeLogprobs: refuseLater,
    computeValues: refuseLater,
    embed: refuseLater,
    imagePositions: refuse,
    releaseVersion: refuseLater,
    close: async () => undefined,
  };
}

function describe(stored: RunManifest["engine"]["description"]): EngineDescription {
  const text = (key: string): string => String(present(stored[key], `engine.description.${key} in run.json`));
  const precision = text("precision");
  return {
    id: text("id"),
    executor: text("executor"),
    precision: precision === "float64" || precision === "bfloat16" ? precision : "float32",
    threadCount: Number(text("threadCount")),
    software: text("software"),
  };
}

function isCapability(text: string): text is Capability {
  return text in capabilityMeanings;
}
