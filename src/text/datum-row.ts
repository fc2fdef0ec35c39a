/**
 * The one place where a row's positions become a datum: shifting, masks and aligned arrays. Both
 * builders end here, so a mask is always derived from what each position is (promise 2).
 */
import { SparError, assert, type JsonValue } from "../base/index.ts";
import {
  tokens,
  type Chunk,
  type Datum,
  type DatumConstant,
  type ImageChunk,
  type TokenId,
} from "../contract/index.ts";

/** A stretch of positions of one kind. */
export type RowPart =
  | { readonly kind: "context"; readonly tokenIds: readonly TokenId[] }
  | { readonly kind: "image"; readonly image: ImageChunk }
  | {
      readonly kind: "trained";
      readonly tokenIds: readonly TokenId[];
      /** The row weight of these tokens; they may differ within a row. */
      readonly weight: number;
      /** One per token; left out for rows that were not sampled. */
      readonly logprobs?: Float32Array;
      readonly advantages?: Float32Array;
    };

export interface DatumFields {
  readonly groupId?: string;
  readonly constants?: Readonly<Record<string, DatumConstant>>;
  /** True where the row was trained on before. Default false. */
  readonly isReplayed?: boolean;
}

/** The fields of a row among other options. */
export function datumFields(options: DatumFields): DatumFields {
  const { groupId, constants, isReplayed } = options;
  return {
    ...(groupId === undefined ? {} : { groupId }),
    ...(constants === undefined ? {} : { constants }),
    ...(isReplayed === undefined ? {} : { isReplayed }),
  };
}

export interface RowOptions extends DatumFields {
  readonly turnIds: readonly string[];
  readonly note?: JsonValue;
  /** Refuses rows without a trained token. */
  readonly needsTrained: boolean;
}

/** @throws `nothing-to-train`, `row-too-short` or `row-ends-in-image` where parts make no row. */
export function datumFromParts(parts: readonly RowPart[], options: RowOptions): Datum {
  const length = parts.reduce((sum, part) => sum + partLength(part), 0);
  checkRow(parts, length, options.needsTrained);
  const targets = new Int32Array(length - 1);
  const weights = new Float32Array(length - 1);
  const advantages = new Float32Array(length - 1);
  const behaviorLogprobs = new Float32Array(length - 1);
  let position = 0;
  for (const part of parts) {
    if (part.kind !== "image") {
      for (const [offset, tokenId] of part.tokenIds.entries()) {
        // Entry i of every array is about the id at position i + 1; position 0 is nobody's target.
        const target = position + offset - 1;
        if (target < 0) continue;
        targets[target] = tokenId;
        if (part.kind === "context") continue;
        weights[target] = part.weight;
        advantages[target] = part.advantages?.[offset] ?? 0;
        behaviorLogprobs[target] = part.logprobs?.[offset] ?? 0;
      }
    }
    position += partLength(part);
  }
  const trained = parts.filter((part) => part.kind === "trained");
  const { groupId, constants, isReplayed = false } = options;
  checkConstants(constants, length - 1);
  return {
    input: withoutLast(parts),
    targets,
    weights,
    ...(trained.some((part) => part.advantages !== undefined) ? { advantages } : {}),
    ...(trained.some((part) => part.logprobs !== undefined) ? { behaviorLogprobs } : {}),
    ...(constants === undefined ? {} : { constants }),
    ...(groupId === undefined ? {} : { groupId }),
    origin: {
      turnIds: options.turnIds,
      isReplayed,
      ...(options.note === undefined ? {} : { note: options.note }),
    },
  };
}

/** The number of positions of a part. */
export function partLength(part: RowPart): number {
  return part.kind === "image" ? part.image.positionCount : part.tokenIds.length;
}

/** A row that cannot be trained on. */
export function rowError(code: string, message: string, hint: string): SparError {
  return new SparError({ code, boundary: "text", message, hint });
}

function checkRow(parts: readonly RowPart[], length: number, needsTrained: boolean): void {
  if (length < 2) {
    throw rowError(
      "row-too-short",
      `a row needs two positions, got ${length}`,
      "leave out empty answers, and put a prompt or a first token before each",
    );
  }
  const filled = parts.filter((part) => partLength(part) > 0);
  if (filled.at(-1)?.kind === "image") {
    throw rowError(
      "row-ends-in-image",
      "a row must end in a token, got an image at its end",
      "put the text after the image, or close the row",
    );
  }
  if (filled[0]?.kind === "trained") {
    throw rowError(
      "row-starts-trained",
      "a trained token needs something before it, got one at position 0",
      "put a prompt or a first token before it",
    );
  }
  if (needsTrained && !filled.some((part) => part.kind === "trained")) {
    throw rowError(
      "nothing-to-train",
      "a row needs a trained token, got none",
      "leave out turns and answers that are empty",
    );
  }
}

function checkConstants(constants: RowOptions["constants"], targetCount: number): void {
  for (const [name, value] of Object.entries(constants ?? {})) {
    assert(
      typeof value === "number" || value.length === targetCount,
      `constant ${name} must be a number or have ${targetCount} entries`,
    );
  }
}

/** The chunks of a row without its last id, neighbouring ids in one chunk. */
function withoutLast(parts: readonly RowPart[]): Chunk[] {
  const chunks: Chunk[] = [];
  let run: TokenId[] = [];
  const flush = (): void => {
    if (run.length > 0) chunks.push(tokens(run));
    run = [];
  };
  for (const part of parts) {
    if (part.kind === "image") {
      flush();
      chunks.push(part.image);
    } else {
      for (const tokenId of part.tokenIds) run.push(tokenId);
    }
  }
  run = run.slice(0, -1);
  flush();
  return chunks;
}
