/**
 * Collects the rows of all requests and samples them in batches: whatever waits for the same version when the
 * executor becomes free goes together. Order and company cannot be seen in the results (see `decode-batch.ts`).
 * Where an executor cannot promise that, only requests that were made together are sampled together.
 */
import { abortedError, createRandom, present, type SerialQueue } from "../../../base/index.ts";
import {
  engineError,
  samplingDefaults,
  type SampledSequence,
  type SampleResponse,
} from "../../../contract/index.ts";
import type { ProgramLibrary } from "../executor/program-library.ts";
import type { SampleArguments } from "../thread/protocol.ts";
import type { StoredVersion, VersionStore } from "../thread/version-store.ts";
import { computeOutputs } from "../training/gradient-pass.ts";
import { decodeBatch, maximumLanes } from "./decode-batch.ts";
import { SamplingRow } from "./sampling-row.ts";

/** Rows that may wait; more is a caller without a limit of its own. */
const maximumWaitingRows = 1_000_000;

interface WaitingRow {
  readonly version: StoredVersion;
  readonly row: SamplingRow;
  readonly chunk: number;
  readonly resolve: () => void;
  readonly reject: (failure: unknown) => void;
}

export interface SampleContext {
  readonly signal: AbortSignal;
  /** Requests that were made together have the same. */
  readonly chunk: number;
}

export interface BatchSamplerOptions {
  readonly library: ProgramLibrary;
  /** Shared with everything else that computes. */
  readonly compute: SerialQueue;
  readonly versions: VersionStore;
}

export class BatchSampler {
  private readonly options: BatchSamplerOptions;
  private waiting: WaitingRow[] = [];
  private isDraining = false;

  constructor(options: BatchSamplerOptions) {
    this.options = options;
  }

  async sample(
    version: StoredVersion,
    given: SampleArguments,
    { signal, chunk }: SampleContext,
  ): Promise<SampleResponse> {
    const { versions } = this.options;
    return versions.hold(version, async () => {
      const rows = makeRows(given, version, versions, signal);
      await Promise.all(rows.map((row) => this.enqueue({ version, row, chunk })));
      if (signal.aborted) throw abortedError({ boundary: "engine", what: "a request for samples" });
      const sequences = rows.map(toSequence);
      if (!given.includePromptLogprobs) return { sequences };
      return { sequences, promptLogprobs: await this.scorePrompt(version, given.prompt) };
    });
  }

  private enqueue(asked: Pick<WaitingRow, "version" | "row" | "chunk">): Promise<void> {
    if (this.waiting.length >= maximumWaitingRows) {
      throw engineError(
        "engine-failed",
        `expected at most ${maximumWaitingRows} sequences waiting to be sampled`,
        {
          hint: "wait for answers before asking for more",
          retryable: true,
        },
      );
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ ...asked, resolve, reject });
      void this.drain();
    });
  }

  /** Waits one turn of the event loop first, so that requests that were sent together are sampled together. */
  private async drain(): Promise<void> {
    if (this.isDraining) return;
    this.isDraining = true;
    await breathe();
    while (this.waiting.length > 0) await this.options.compute.add(() => this.runBatch());
    this.isDraining = false;
  }

  private async runBatch(): Promise<void> {
    const batch = this.takeBatch();
    const [first] = batch;
    if (first === undefined) return;
    try {
      const { library } = this.options;
      const rows = batch.map(({ row }) => row);
      await decodeBatch({ library, weights: first.version.weights, rows, breathe });
      for (const { resolve } of batch) resolve();
    } catch (thrown) {
      for (const { reject } of batch) reject(thrown);
    }
  }

  /**
   * The oldest row and rows of the same version whose prompts are closest in length: lanes move in lockstep, so
   * equal lengths waste nothing.
   */
  private takeBatch(): WaitingRow[] {
    const [oldest] = this.waiting;
    if (oldest === undefined) return [];
    const { isBatchInvariant } = this.options.library.executor;
    const same = this.waiting.filter(
      ({ version, chunk }) => version === oldest.version && (isBatchInvariant || chunk === oldest.chunk),
    );
    const sorted = same.toSorted((a, b) => a.row.prompt.length - b.row.prompt.length);
    const start = Math.min(sorted.indexOf(oldest), Math.max(0, sorted.length - maximumLanes));
    const taken = sorted.slice(start, start + maximumLanes);
    const isTaken = new Set(taken);
    this.waiting = this.waiting.filter((waiting) => !isTaken.has(waiting));
    return taken;
  }

  private async scorePrompt(version: StoredVersion, prompt: Int32Array): Promise<Float32Array> {
    const { library, compute } = this.options;
    const rows = [{ tokens: prompt.slice(0, -1), targets: prompt.slice(1) }];
    const pass = { library, weights: version.weights, rows, breathe };
    const { logprobs } = await compute.add(() => computeOutputs(pass));
    return present(logprobs[0], "the score of a prompt");
  }
}

async function breathe(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Sibling i draws from its own stream of the seed. */
function makeRows(
  given: SampleArguments,
  version: StoredVersion,
  versions: VersionStore,
  signal: AbortSignal,
): SamplingRow[] {
  const { parameters, prompt, count } = given;
  const stopStrings = parameters.stopStrings ?? [];
  const settings = {
    maxTokens: parameters.maxTokens,
    temperature: parameters.temperature ?? samplingDefaults.temperature,
    topP: parameters.topP ?? samplingDefaults.topP,
    topK: parameters.topK ?? samplingDefaults.topK,
    stopTokenIds: new Set(parameters.stopTokenIds ?? []),
    stopStrings,
  };
  const random = createRandom(parameters.seed);
  return Array.from(
    { length: count },
    (_, sibling) =>
      new SamplingRow({
        prompt,
        settings,
        random: random.split("sibling", sibling),
        contextLength: version.weights.shape.contextLength,
        tokenizer: stopStrings.length > 0 ? versions.tokenizerOf(version) : undefined,
        isCancelled: () => signal.aborted,
      }),
  );
}

function toSequence(row: SamplingRow): SampledSequence {
  return {
    tokenIds: row.tokenIds,
    logprobs: Float32Array.from(row.logprobs),
    finishReason: row.finishReason ?? "cancelled",
  };
}
