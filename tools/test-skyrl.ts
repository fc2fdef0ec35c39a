/**
 * The client against a real SkyRL server on the CPU: starts it, runs the conformance suite, the program of
 * `examples/fine-tune-on-a-server.ts` and a short run of SPIN, whose custom loss takes two passes, and stops it.
 * docs/engines/skyrl.md says how the environment is made, and what came out.
 *
 *     npm run test:skyrl -- --python .skyrl/bin/python --model ./smollm2
 *     npm run test:skyrl -- --python .skyrl/bin/python --model ./tiny --only conformance
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startSkyrl } from "./skyrl-server.ts";
import { startWatched } from "./watched.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    model: { type: "string" },
    only: { type: "string" },
    "start-minutes": { type: "string", default: "10" },
  },
});
const parts = ["conformance", "example", "spin"];
const chosen = parts.filter((part) => values.only === undefined || part === values.only);
if (values.python === undefined || values.model === undefined || chosen.length === 0) {
  console.error(`expected --python PATH --model FOLDER, and --only one of ${parts.join(", ")} if not all`);
  process.exit(2);
}
const model = resolve(values.model);
const root = resolve(import.meta.dirname, "..");
const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => interrupted.abort(new Error(`told to end by ${name}`)));
}

/** Few shapes, since each is compiled for itself: rows and samples in fours. Each model and version takes an adapter. */
const backendConfig = JSON.stringify({
  max_lora_adapters: 8,
  max_lora_rank: 16,
  train_micro_batch_size: 4,
  sample_max_num_sequences: 4,
});
const startMs = performance.now();
const server = await startSkyrl({
  python: resolve(values.python),
  model,
  backendConfig,
  startTimeoutMs: Number(values["start-minutes"]) * 60_000,
  signal: interrupted.signal,
});
console.log(`SkyRL answers after ${secondsSince(startMs)} s; its log is ${server.log}`);
const runs = await mkdtemp(join(tmpdir(), "spar-skyrl-runs-"));
try {
  for (const part of chosen) {
    const partMs = performance.now();
    const code = await runPart(part, server.url);
    console.log(`${part}: exit code ${code} after ${secondsSince(partMs)} s`);
    if (code !== 0) process.exitCode = 1;
    if (interrupted.signal.aborted) break;
  }
} finally {
  await server.stop();
  await rm(runs, { recursive: true, force: true });
}

function secondsSince(ms: number): string {
  return ((performance.now() - ms) / 1000).toFixed(0);
}

async function runPart(part: string, url: string): Promise<number> {
  switch (part) {
    case "conformance":
      return run(
        ["node_modules/vitest/vitest.mjs", "run", "test/servers/conformance.test.ts", "--reporter=verbose"],
        {
          SPAR_TEST_SERVER_URL: url,
          SPAR_TEST_SERVER_MODEL: model,
          SPAR_TEST_SERVER_PROFILE: "skyrl-jax",
          SPAR_TEST_SERVER_KEY: "tml-dummy",
          SPAR_TEST_SERVER_PRECISION: "float32",
        },
      );
    case "example":
      return run(["--conditions=source", "examples/fine-tune-on-a-server.ts"], {
        SPAR_TINKER_URL: url,
        SPAR_TINKER_PROFILE: "skyrl-jax",
        SPAR_TINKER_KEY: "tml-dummy",
      });
    default:
      return run(["--conditions=source", "src/cli/main.ts", "run", "spin", ...spinArguments(url)], {});
  }
}

/** 8 prompts and 2 updates of 4 pairs. */
function spinArguments(url: string): string[] {
  const options = {
    baseModel: model,
    exampleCount: 8,
    heldOutCount: 4,
    pairsPerUpdate: 4,
    iterationCount: 1,
    maxAnswerTokens: 32,
    sampleCount: 2,
    controls: "[]",
  };
  const settings = Object.entries(options).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  return [
    "--preset",
    "smoke",
    "--engine",
    "tinker:skyrl-jax",
    "--url",
    url,
    "--runs-folder",
    runs,
    "--seed",
    "1",
    ...settings,
  ];
}

async function run(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const part = startWatched([process.execPath, ...command], {
    cwd: root,
    env: { ...process.env, ...environment },
  });
  const ended = new Promise<number>((done) => {
    interrupted.signal.addEventListener("abort", () => done(130), { once: true });
    if (interrupted.signal.aborted) done(130);
  });
  const code = await Promise.race([part.exited, ended]);
  await part.stop();
  return code;
}
