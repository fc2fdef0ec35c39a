/**
 * Which files of a data set on the hub make a split, by the names that the hub's own tools give them:
 * `data/train-00000-of-00003.parquet` and the like. Knows no format.
 */
import { dataError } from "./data-error.ts";
import { ask, parseHubAddress, type HubOptions } from "./hub-source.ts";

export interface ListHubOptions {
  readonly split: string;
  /** Whether a path is a data file by its ending. */
  readonly isData: (path: string) => boolean;
  readonly hub: HubOptions;
}

/**
 * The addresses of a split's files in the order of their numbers.
 *
 * @throws `data-split-missing` naming the splits that are there, and what asking the hub throws
 */
export async function listHubFiles(address: string, options: ListHubOptions): Promise<string[]> {
  const { split, hub } = options;
  const { repository, revision, path } = parseHubAddress(address);
  const { listFiles } = await import("@huggingface/hub");
  const found: string[] = [];
  const entries = listFiles({
    repo: { type: "dataset", name: repository },
    revision,
    recursive: true,
    ...(path === "" ? {} : { path }),
    ...(hub.hubUrl === undefined ? {} : { hubUrl: hub.hubUrl }),
    ...(hub.accessToken === undefined ? {} : { accessToken: hub.accessToken }),
  });
  for (;;) {
    const entry = await ask(address, hub, () => entries.next());
    if (entry.done === true) break;
    if (entry.value.type === "file" && options.isData(entry.value.path)) found.push(entry.value.path);
  }
  const chosen = found.filter((file) => splitOf(file) === split).toSorted();
  if (chosen.length > 0) return chosen.map((file) => `hf://${repository}@${revision}/${file}`);
  const splits = [...new Set(found.map(splitOf))].toSorted();
  throw dataError("data-split-missing", `expected files of the split ${split}`, {
    file: address,
    hint:
      splits.length === 0
        ? "the data set has no .parquet or .jsonl files"
        : `the data set has the splits ${splits.join(", ")}`,
  });
}

/** The part of a file name before its number and ending. */
function splitOf(path: string): string {
  const fileName = path.slice(path.lastIndexOf("/") + 1);
  return fileName.replace(/(-\d+-of-\d+.*)?\.[^.]+$/, "");
}
