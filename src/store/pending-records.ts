/** Records that wait for the disk, by table, with the row numbers of their episodes. */
import type {
  EpisodeEnd,
  EpisodeStart,
  RecordedCall,
  RecordedRefusal,
  RecordedTurn,
} from "../records/index.ts";

/** A record with the row number of its episode. */
export type Placed<Record> = Record & { readonly row: number };

export class PendingRecords {
  readonly starts: Placed<{ readonly start: EpisodeStart }>[] = [];
  readonly turns: Placed<RecordedTurn>[] = [];
  readonly calls: Placed<RecordedCall>[] = [];
  readonly refusals: Placed<RecordedRefusal>[] = [];
  readonly ends: Placed<{ readonly end: EpisodeEnd }>[] = [];

  get isEmpty(): boolean {
    const { starts, turns, calls, refusals, ends } = this;
    return [starts, turns, calls, refusals, ends].every((records) => records.length === 0);
  }
}
