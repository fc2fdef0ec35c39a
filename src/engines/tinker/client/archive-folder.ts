/**
 * An archive as a folder that appears by renaming, whole or not at all. What breaks on the way is begun anew, a few
 * times, each time at a new address, since addresses hold for a while only.
 */
import { mkdir, rename, rm } from "node:fs/promises";
import { throwIfAborted } from "../../../base/index.ts";
import { tinkerError, unexpectedAnswer } from "../errors.ts";
import { expectNoFolder, partOf } from "../state-folder.ts";
import type { Backoff } from "../transport/backoff.ts";
import { download } from "../transport/download.ts";
import { failureText } from "../transport/failure-text.ts";
import { ConnectionLost, type HttpAnswer } from "../transport/http.ts";
import { askedPauseMs, canRetry, unreachable } from "../transport/requests.ts";
import { unpackTar } from "../wire/tar.ts";

export interface ArchiveSource {
  /** For messages: the path on the server. */
  readonly what: string;
  /** Asks for an address, which needs no key. */
  address(signal: AbortSignal): Promise<string>;
  backoff(signal: AbortSignal): Backoff;
}

export interface ArchiveFolderOptions {
  readonly signal: AbortSignal;
  readonly mostBytes: number;
  readonly stallMs: number;
}

const mostAttempts = 6;
/** What official servers end an archive with. The folder is whole by itself. */
const completeName = "checkpoint_complete";

/** @throws `invalid-input` where the folder exists; `unexpected-answer`, `server-unreachable`, `not-found`, `aborted` */
export async function fillFolder(
  folder: string,
  source: ArchiveSource,
  options: ArchiveFolderOptions,
): Promise<void> {
  await expectNoFolder(folder);
  const part = await partOf(folder);
  try {
    const names = await tryAgain(source, options, async (url) => {
      await rm(part, { recursive: true, force: true });
      await mkdir(part);
      const found = await download({ ...options, what: source.what, url });
      return "status" in found ? found : unpackTar(found, part, { ...options, what: source.what });
    });
    const files = names.filter((name) => name !== completeName);
    if (files.length === 0) throw unexpectedAnswer(source.what, "files in the archive", "none");
    if (files.length < names.length) await rm(`${part}/${completeName}`);
    throwIfAborted(options.signal, { boundary: "engine", what: `writing ${folder}` });
    await rename(part, folder);
  } catch (thrown) {
    await rm(part, { recursive: true, force: true });
    throw thrown;
  }
}

/** Names of the files that were unpacked, or an answer that says no. */
type Outcome = readonly string[] | HttpAnswer;

async function tryAgain(
  source: ArchiveSource,
  { signal }: ArchiveFolderOptions,
  attempt: (url: string) => Promise<Outcome>,
): Promise<readonly string[]> {
  const backoff = source.backoff(signal);
  for (let count = 1; ; count++) {
    let askedMs: number | null = null;
    try {
      const outcome = await attempt(await source.address(signal));
      if (!("status" in outcome)) return outcome;
      if (!helps(outcome.status) || count === mostAttempts) throw refusalOf(source.what, outcome);
      askedMs = askedPauseMs(outcome.headers);
    } catch (thrown) {
      throwIfAborted(signal, { boundary: "engine", what: source.what });
      if (!(thrown instanceof ConnectionLost)) throw thrown;
      if (count === mostAttempts) throw unreachable(source.what, thrown);
    }
    await backoff.pause(askedMs);
  }
}

/** An address may be over before it is used. */
function helps(status: number): boolean {
  return status === 403 || status === 410 || canRetry(status);
}

function refusalOf(what: string, answer: HttpAnswer): Error {
  const { status } = answer;
  const text = `${what}: the server answered ${status}: ${failureText(answer).message}`;
  return tinkerError(status === 404 ? "not-found" : "request-refused", text, { facts: { status } });
}
