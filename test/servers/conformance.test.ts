/**
 * The conformance suite against a server that runs somewhere: the real thing, not a double. Skipped without an address.
 *
 *     SPAR_TEST_SERVER_URL=http://127.0.0.1:8000 SPAR_TEST_SERVER_MODEL=name npx vitest run test/servers
 */
import { describe } from "vitest";
import type { Tuning } from "../../src/contract/index.ts";
import { createEngine, type TinkerExecutor } from "../../src/engines/tinker/engine.ts";
import { profiles } from "../../src/engines/tinker/profiles/detect.ts";
import { describeEngine } from "../../src/testing/index.ts";

const url = process.env["SPAR_TEST_SERVER_URL"] ?? "";
const baseModel = process.env["SPAR_TEST_SERVER_MODEL"] ?? "";
const key = process.env["SPAR_TEST_SERVER_KEY"] ?? null;
const asked = process.env["SPAR_TEST_SERVER_PROFILE"] ?? "auto";
const executor: TinkerExecutor = profiles.find(({ id }) => id === asked)?.id ?? "auto";
const precision = process.env["SPAR_TEST_SERVER_PRECISION"] === "float32" ? "float32" : "bfloat16";
/** 0 trains all weights. */
const rank = Number(process.env["SPAR_TEST_SERVER_RANK"] ?? 8);
const tuning: Tuning = rank === 0 ? { kind: "full" } : { kind: "lora", rank, alpha: 32, seed: 1 };

describe.skipIf(url === "")("a server that runs somewhere, at SPAR_TEST_SERVER_URL", () => {
  describeEngine({
    name: `the engine tinker, ${asked},`,
    createEngine: () => createEngine({ url, key, executor, precision }),
    model: { from: { kind: "base", nameOrFolder: baseModel }, tuning },
    skip: [
      ...(executor === "auto" || executor === "spar"
        ? []
        : [
            {
              test: "export writes configuration, weights and tokenizer in the hub's formats",
              reason: "servers of others write no exports, and their archives hold the adapter alone",
            },
            {
              test: "an adapter starts as its base, trains few numbers, and is part of what is published",
              reason: "asks for an alpha that servers of others refuse",
            },
          ]),
      ...(executor === "skyrl-jax"
        ? [
            {
              test: "adamw: twelve steps on one batch lower its loss",
              reason:
                "asks for the usual decay of weights, which reaches all models of that server and is refused",
            },
          ]
        : []),
    ],
    timeoutMs: 1_800_000,
  });
});
