/**
 * Ten thousand episodes at once in this process, against an engine that answers batches of at most 256 in 50 ms.
 * Prints the time beside the least possible one, and the most memory that was used; fails where the time passes 1.2
 * times the least, or the memory 1.5 GB. `rollouts.bench.ts` runs it in a process of its own, for its memory.
 */
import { loadavg } from "node:os";
import { createRandom, systemClock, type JsonValue } from "spar/base";
import type { Engine } from "spar/contract";
import { defineGame, type Reply, type TurnView } from "spar/games";
import { policyPlayer, type Player } from "spar/players";
import { playEpisodes, unrecordedStep } from "spar/rollouts";
import { createFakeEngine } from "spar/testing";
import { characterTokenizer, plainRenderer } from "spar/text";

const episodeCount = 10_000;
const turnsPerEpisode = 8;
const sampleBatch = { size: 256, durationMs: 50 };
const longestRatio = 1.2;
const mostBytes = 1.5e9;

/** One seat that goes on from its last turn. */
const game = defineGame<JsonValue, number>({
  id: "dialogue",
  seats: ["speaker"],
  limits: { turns: turnsPerEpisode, calls: 0, tokens: 1000, timeMs: 3_600_000 },
  play: async (table) => {
    let from: TurnView<number> | null = null;
    for (let turn = 0; turn < turnsPerEpisode; turn++) {
      const prompt = [{ kind: "text" as const, role: "user", text: "b" }];
      const parse = (text: string): number => text.length;
      const reply: Reply<number> = await table.ask("speaker", {
        prompt,
        parse,
        maxTokens: 2,
        ...(from === null ? {} : { from }),
      });
      if (reply.kind === "limit") throw new Error(`expected a turn, got the limit ${reply.limit}`);
      from = reply.turn;
    }
    return turnsPerEpisode;
  },
});

async function speakerOf(engine: Engine): Promise<Player> {
  const tokenizer = characterTokenizer({ symbols: "abc" });
  const contextLength = 64;
  const { vocabularySize } = tokenizer;
  const architecture = { vocabularySize, contextLength, width: 4, layerCount: 1, headCount: 1 };
  const model = await engine.createModel({
    name: "speaker",
    from: { kind: "architecture", architecture, seed: 1 },
  });
  return policyPlayer({
    name: "speaker",
    kind: "live",
    version: await model.publish(),
    engine,
    renderer: plainRenderer(tokenizer, { suffix: "a" }),
    contextLength,
    sampling: { maxTokens: 2 },
  });
}

const engine = createFakeEngine({ sampleBatch, remembersCalls: false });
const speaker = await speakerOf(engine);
const startMs = performance.now();
const startCpu = process.cpuUsage();
const played = await playEpisodes({
  step: unrecordedStep({ random: createRandom(1), signal: new AbortController().signal, clock: systemClock }),
  game,
  tasks: Array.from({ length: episodeCount }, (_value, index) => ({ id: `${index}`, task: null })),
  seats: { speaker },
  concurrency: episodeCount,
  maximumFailedShare: 0,
});
const tookMs = performance.now() - startMs;
const { user, system } = process.cpuUsage(startCpu);
await engine.close();
const turnCount = played.reduce((sum, { turns }) => sum + turns.length, 0);
const leastMs = Math.ceil(turnCount / sampleBatch.size) * sampleBatch.durationMs;
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(
  `${episodeCount} episodes at once, ${turnCount} turns, batches of ${sampleBatch.size} in ${sampleBatch.durationMs} ms:`,
);
console.log(
  `  ${(tookMs / 1000).toFixed(2)} s, ${(tookMs / leastMs).toFixed(3)} of the least possible; ${((user + system) / 1e6).toFixed(1)} s of processor time; ${(peakBytes / 1e6).toFixed(0)} MB at most; load ${loadavg()[0]?.toFixed(1)}`,
);
if (tookMs > longestRatio * leastMs || peakBytes > mostBytes) {
  console.log(`  expected at most ${longestRatio} of the least possible and ${mostBytes / 1e6} MB`);
  process.exitCode = 1;
}
