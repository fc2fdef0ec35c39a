/**
 * Files of data sets on the hub, named by the user as `hf://owner/name/path`. Nothing is asked of the
 * network before a file is opened, and every wait has a deadline.
 */
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSparError, messageOf, withDeadline } from "../base/index.ts";
import { fileSource, type ByteSource } from "./byte-source.ts";
import { dataError } from "./data-error.ts";

export interface HubOptions {
  /** Another hub than the public one. */
  readonly hubUrl?: string;
  /** For data sets that are not public. */
  readonly accessToken?: string;
  /** Files are kept here and found again without the network; left out, nothing is kept. */
  readonly cacheFolder?: string;
  /** The longest wait for the next bytes. Default a minute. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface HubAddress {
  /** `owner/name` */
  readonly repository: string;
  /** Branch, tag or commit. Default `main`. */
  readonly revision: string;
  /** A file or folder in it; empty for the whole data set. */
  readonly path: string;
}

/**
 * Reads `hf://owner/name/path`, with `@revision` after the name and `datasets/` before the owner
 * where the user wrote them.
 *
 * @throws `hub-address-invalid`
 */
export function parseHubAddress(address: string): HubAddress {
  const match = /^hf:\/\/(?:datasets\/)?([^/@]+\/[^/@]+)(?:@([^/]+))?(?:\/(.*))?$/.exec(address);
  const [, repository, revision = "main", path = ""] = match ?? [];
  if (repository !== undefined && !path.split("/").includes("..")) {
    return { repository, revision, path: path.replace(/\/$/, "") };
  }
  throw dataError("hub-address-invalid", "expected hf://owner/name or hf://owner/name/path/of/file", {
    file: address,
    hint: "write the data set's name, and the path of a file in it where one is meant; @revision after the name is optional",
  });
}

/**
 * Opens a file of the hub.
 *
 * @throws `hub-unreachable` (retryable), `hub-access-denied`, `data-not-found`, `deadline-exceeded`,
 * `hub-address-invalid`
 */
export async function hubSource(address: string, options: HubOptions = {}): Promise<ByteSource> {
  const parsed = parseHubAddress(address);
  if (options.cacheFolder === undefined) return remoteSource(address, parsed, options);
  const { repository, revision, path } = parsed;
  const cached = join(
    options.cacheFolder,
    ...repository.split("/"),
    encodeURIComponent(revision),
    ...path.split("/"),
  );
  const found = await fileSource(cached).catch((thrown: unknown) => {
    if (isSparError(thrown) && thrown.code === "data-not-found") return null;
    throw thrown;
  });
  if (found === null) await download(await remoteSource(address, parsed, options), cached);
  return { ...(found ?? (await fileSource(cached))), name: address };
}

async function remoteSource(address: string, parsed: HubAddress, options: HubOptions): Promise<ByteSource> {
  const { downloadFile } = await import("@huggingface/hub");
  const { hubUrl, accessToken } = options;
  const blob = await ask(address, options, () =>
    downloadFile({
      repo: { type: "dataset", name: parsed.repository },
      revision: parsed.revision,
      path: parsed.path,
      ...(hubUrl === undefined ? {} : { hubUrl }),
      ...(accessToken === undefined ? {} : { accessToken }),
    }),
  );
  if (blob === null) throw notFound(address);
  return {
    name: address,
    byteLength: blob.size,
    stream: () => streamBlob(blob, address, options),
    slice: (start, end) => ask(address, options, () => blob.slice(start, end).arrayBuffer()),
  };
}

async function* streamBlob(blob: Blob, address: string, options: HubOptions): AsyncGenerator<Uint8Array> {
  const reader = blob.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await ask(address, options, () => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Written beside its place and moved there, so that a half file is never found. */
async function download(source: ByteSource, path: string): Promise<void> {
  const partial = `${path}.partial`;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(partial, "w");
  try {
    for await (const bytes of source.stream()) await file.writeFile(bytes);
    await file.close();
    await rename(partial, path);
  } catch (thrown) {
    await file.close().catch(() => undefined);
    await rm(partial, { force: true });
    throw isSparError(thrown)
      ? thrown
      : dataError("data-write-failed", `it cannot be kept: ${messageOf(thrown)}`, {
          file: path,
          hint: "make room on the disk, or choose another cache folder",
          cause: thrown,
        });
  }
}

/** One request with its deadline, and its failure in our words. */
export async function ask<Result>(
  address: string,
  options: HubOptions,
  request: () => Promise<Result>,
): Promise<Result> {
  const { timeoutMs = 60_000, signal } = options;
  try {
    return await withDeadline(
      {
        boundary: "data",
        what: `the hub's answer about ${address}`,
        timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      },
      request,
    );
  } catch (thrown) {
    if (isSparError(thrown)) throw thrown;
    const status = thrown instanceof Error && "statusCode" in thrown ? thrown.statusCode : null;
    if (status === 404) throw notFound(address, thrown);
    if (status === 401 || status === 403) {
      throw dataError(
        "hub-access-denied",
        `the hub refuses access (status ${status}): it is private, gated or misspelt`,
        {
          file: address,
          hint: "check the name, accept the data set's terms on its page, and pass an access token",
          cause: thrown,
        },
      );
    }
    throw dataError("hub-unreachable", `the hub cannot be reached: ${messageOf(thrown)}`, {
      file: address,
      hint: "check the network, or download the file elsewhere and name its path",
      retryable: true,
      cause: thrown,
    });
  }
}

function notFound(address: string, cause?: unknown): Error {
  return dataError("data-not-found", "the hub has no such file", {
    file: address,
    hint: "compare owner, name, revision and path with the data set's page",
    ...(cause === undefined ? {} : { cause }),
  });
}
