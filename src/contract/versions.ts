/** Policy versions: what `publish` makes and everything that samples or scores refers to. */

/** A published, immutable state of a model. Plain data: it can be stored and compared. */
export interface PolicyVersion {
  readonly modelId: string;
  /** Rising per model, from 1. */
  readonly number: number;
  /** The engine's own address of it. */
  readonly address: string;
  /** A digest of the weights where they can be read, else null. */
  readonly digest: string | null;
}
