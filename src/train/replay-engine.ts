/** What stands in for the engine when a finished run is told again: a description, and nothing that computes. */
import { capabilityMeanings, engineError, type Capability, type Engine } from "../contract/index.ts";
import type { RunManifest } from "../store/index.ts";

/** An engine that describes the one of the run and refuses to work. */
export function replayOnlyEngine(manifest: RunManifest): Engine {
  const refuse = (): never => {
    throw engineError("engine-closed", "expected a finished run to need no engine");
  };
  const refuseLater = async (): Promise<never> => refuse();
  const { description, capabilities } = manifest.engine;
  return {
    description,
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

function isCapability(text: string): text is Capability {
  return text in capabilityMeanings;
}
