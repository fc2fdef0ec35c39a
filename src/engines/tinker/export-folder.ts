/**
 * A model in the hub's formats, in a folder that appears by renaming. A server that shares the files of this machine
 * writes it there; another one of ours writes it into a folder of its own, which is copied where it is here too, and
 * fetched as an archive where it is not.
 */
import { constants } from "node:fs";
import { copyFile, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { throwIfAborted, type CallOptions } from "../../base/index.ts";
import { Checkpoints } from "./client/checkpoints.ts";
import type { Connection } from "./client/connection.ts";
import type { TrainingModel } from "./client/training-model.ts";
import { tinkerError } from "./errors.ts";
import { expectNoFolder, partOf } from "./state-folder.ts";

/** What the server notes for itself. */
const serverFacts = "checkpoint.json";

/**
 * @throws `request-refused` where the server writes no exports; `invalid-input` where the folder exists; those of
 * `Checkpoints.downloadArchive`
 */
export async function exportFolder(
  folder: string,
  { connection, server }: { readonly connection: Connection; readonly server: TrainingModel },
  call: CallOptions = {},
): Promise<void> {
  await expectNoFolder(folder);
  const { profile } = connection;
  if (!profile.writesExports) {
    throw tinkerError("request-refused", `servers of profile ${profile.id} do not export models as folders`, {
      hint: "Checkpoints.downloadArchive of spar/tinker fetches weights that were saved for sampling",
    });
  }
  const part = await partOf(folder);
  try {
    if (connection.sharesFiles) await server.exportTo(part, call);
    else await fetchExport(part, { connection, server }, call);
    await rm(join(part, serverFacts), { force: true });
    throwIfAborted(call.signal, { boundary: "engine", what: `writing ${folder}` });
    await rename(part, folder);
  } catch (thrown) {
    await rm(part, { recursive: true, force: true });
    throw thrown;
  }
}

async function fetchExport(
  part: string,
  { connection, server }: { readonly connection: Connection; readonly server: TrainingModel },
  call: CallOptions,
): Promise<void> {
  const { path, folder: source } = await server.exportTo(null, call);
  const checkpoints = new Checkpoints(connection);
  if (source !== undefined && (await isModelFolder(source))) await copyFolder(source, part, call);
  else await checkpoints.downloadArchive(path, part, call);
  await checkpoints.delete(path, call);
}

async function copyFolder(source: string, part: string, call: CallOptions): Promise<void> {
  await mkdir(part);
  for (const name of await readdir(source)) {
    throwIfAborted(call.signal, { boundary: "engine", what: `writing ${part}` });
    await copyFile(join(source, name), join(part, name), constants.COPYFILE_FICLONE);
    await flush(join(part, name));
  }
}

async function isModelFolder(folder: string): Promise<boolean> {
  return stat(join(folder, "config.json")).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function flush(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
