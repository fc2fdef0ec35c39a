/** What is saved on the server: lists, ends of life, archives, and what a state was made from. */
import { z } from "zod";
import type { CallOptions } from "../../../base/index.ts";
import { tinkerError, unexpectedAnswer } from "../errors.ts";
import type { HttpAnswer } from "../transport/http.ts";
import type { SendOptions } from "../transport/requests.ts";
import { parseAnswer, parseJsonBytes } from "../wire/answers.ts";
import { fillFolder } from "./archive-folder.ts";
import type { Connection } from "./connection.ts";
import { unloadModel } from "./new-model.ts";

export interface Checkpoint {
  readonly id: string;
  /** `training`, `sampler`, or what newer servers have. */
  readonly kind: string;
  readonly path: string;
  /** As the server wrote it, ISO 8601. */
  readonly time: string;
  readonly bytes: number | null;
  readonly expiresAt: string | null;
}

export interface DownloadOptions extends CallOptions {
  /** More is refused, as it comes and unpacked. Default 1 TiB. */
  readonly mostBytes?: number;
  /** How long nothing may come before it is begun anew. Default one minute. */
  readonly stallMs?: number;
}

const archiveAnswer = z.object({ url: z.url() });

/** What is known of a saved state. */
export interface SavedStateFacts {
  readonly baseModel: string;
  /** Null where all weights are trained. */
  readonly loraRank: number | null;
}

const checkpointsAnswer: z.ZodType<readonly Checkpoint[]> = z
  .object({
    checkpoints: z.array(
      z.object({
        checkpoint_id: z.string(),
        checkpoint_type: z.string(),
        tinker_path: z.string(),
        time: z.string(),
        size_bytes: z.number().nullish(),
        expires_at: z.string().nullish(),
      }),
    ),
  })
  .transform(({ checkpoints }) =>
    checkpoints.map((one) => ({
      id: one.checkpoint_id,
      kind: one.checkpoint_type,
      path: one.tinker_path,
      time: one.time,
      bytes: one.size_bytes ?? null,
      expiresAt: one.expires_at ?? null,
    })),
  );

const stateFactsAnswer: z.ZodType<SavedStateFacts> = z
  .object({ base_model: z.string(), is_lora: z.boolean(), lora_rank: z.int().nullish() })
  .transform((facts) => ({
    baseModel: facts.base_model,
    loraRank: facts.is_lora ? (facts.lora_rank ?? null) : null,
  }));

/**
 * The parts of `tinker://{run}/{weights or sampler_weights}/{name}`. SkyRL leaves the middle out for weights to sample
 * from.
 *
 * @throws `request-refused`
 */
export function parsePath(path: string): {
  readonly run: string;
  readonly kind: string;
  readonly name: string;
} {
  const [, run, kind = "sampler_weights", name] =
    /^tinker:\/\/([^/]+)\/(?:([a-z_]+)\/)?([^/]+)$/u.exec(path) ?? [];
  if (run !== undefined && name !== undefined) return { run, kind, name };
  throw tinkerError("request-refused", `expected a path like tinker://run/weights/name, got ${path}`);
}

export class Checkpoints {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** All of a training run: `model_id`, or the first part of a path. */
  async list(run: string, call: CallOptions = {}): Promise<readonly Checkpoint[]> {
    return this.#connection.bounded("the list of checkpoints", call, (signal) =>
      this.#connection.ask(checkpointsAnswer, {
        method: "GET",
        path: `training_runs/${encodeURIComponent(run)}/checkpoints`,
        signal,
        canRepeat: true,
      }),
    );
  }

  /** What holds weights to sample from goes with them. */
  async delete(path: string, call: CallOptions = {}): Promise<void> {
    const { run, kind } = parsePath(path);
    const isCopy = this.#connection.profile.versions === "copies" && kind === "sampler_weights";
    if (isCopy) await unloadModel(this.#connection, run);
    await this.#tell({ method: "DELETE", path: placeOf(path) }, call);
  }

  /** When it goes by itself; null for never. */
  async setTimeToLive(path: string, seconds: number | null, call: CallOptions = {}): Promise<void> {
    const body = { type: "json" as const, value: { ttl_seconds: seconds } };
    await this.#tell({ method: "PUT", path: `${placeOf(path)}/ttl`, body }, call);
  }

  /** Where an archive can be fetched from, for a while, without a key. */
  async archiveUrl(path: string, call: CallOptions = {}): Promise<string> {
    const { run, kind, name } = parsePath(path);
    const place = this.#connection.profile.id.startsWith("skyrl") ? name : `${kind}/${name}`;
    const { status, headers, bytes } = await this.#tell(
      { method: "GET", path: `training_runs/${encodeURIComponent(run)}/checkpoints/${place}/archive` },
      call,
    );
    // A redirect is what servers answer; JSON is what official clients take besides.
    const location =
      status < 300
        ? parseAnswer(archiveAnswer, parseJsonBytes(bytes, "GET archive"), "GET archive").url
        : headers.get("location");
    if (location === null) throw unexpectedAnswer("GET archive", "an address to fetch it from", "none");
    return new URL(location, this.#connection.url).href;
  }

  /**
   * Weights in the hub's formats, as a folder that appears by renaming, whole or not at all. On a server of ours an
   * archive holds what an export of the same weights would: an adapter as PEFT has it, a model without one whole. It is
   * fetched without the key, and begun anew where it breaks.
   *
   * @throws `invalid-input` where the folder exists; `not-found`; `unexpected-answer` for an archive that was cut, or
   * holds anything but files of the folder; `server-unreachable`, `aborted`, `deadline-exceeded`; nothing is left then
   */
  async downloadArchive(path: string, folder: string, options: DownloadOptions = {}): Promise<void> {
    const what = `the archive of ${path}`;
    let work: Promise<void> = Promise.resolve();
    const source = {
      what,
      address: async (signal: AbortSignal) => this.archiveUrl(path, { signal }),
      backoff: (signal: AbortSignal) => this.#connection.backoff(what, signal),
    };
    const { mostBytes = 2 ** 40, stallMs = 60_000 } = options;
    try {
      await this.#connection.bounded(what, options, (signal) => {
        work = fillFolder(folder, source, { signal, mostBytes, stallMs });
        return work;
      });
    } finally {
      await work.catch(() => undefined);
    }
  }

  /** What a saved state was made from. */
  async stateFacts(path: string, call: CallOptions = {}): Promise<SavedStateFacts> {
    return this.#connection.bounded("weights_info", call, (signal) =>
      this.#connection.ask(stateFactsAnswer, {
        method: "POST",
        path: "weights_info",
        body: { type: "json", value: { tinker_path: path } },
        signal,
        canRepeat: true,
      }),
    );
  }

  async #tell(
    request: Pick<SendOptions, "method" | "path" | "body">,
    call: CallOptions,
  ): Promise<HttpAnswer> {
    const what = `${request.method} ${request.path}`;
    return this.#connection.bounded(what, call, (signal) =>
      this.#connection.tell({ ...request, signal, canRepeat: true }),
    );
  }
}

function placeOf(path: string): string {
  const { run, kind, name } = parsePath(path);
  return `training_runs/${encodeURIComponent(run)}/checkpoints/${kind}/${encodeURIComponent(name)}`;
}
