/** A model in the hub's formats, in a folder that appears by renaming; on servers that share the files of this machine. */
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Connection } from "./client/connection.ts";
import { tinkerError } from "./errors.ts";
import { expectNoFolder, partOf } from "./state-folder.ts";

/** What the server notes for itself. */
const serverFacts = "checkpoint.json";

/** @throws `request-refused` where the server does not share files, `invalid-input` where the folder exists */
export async function exportFolder(
  folder: string,
  connection: Connection,
  write: (part: string) => Promise<void>,
): Promise<void> {
  await expectNoFolder(folder);
  if (!connection.sharesFiles) {
    throw tinkerError("request-refused", "a model on a server elsewhere is not exported by this client yet", {
      hint: "Checkpoints.archiveUrl of spar/tinker gives the address of an archive of published weights",
    });
  }
  const part = await partOf(folder);
  try {
    await write(part);
    await rm(join(part, serverFacts), { force: true });
    await rename(part, folder);
  } catch (thrown) {
    await rm(part, { recursive: true, force: true });
    throw thrown;
  }
}
