/**
 * Which tensors a model has and where each lies in its one flat buffer of weights.
 *
 * Weights, gradients and optimizer moments are flat buffers with this same layout, so that copying, hashing,
 * saving and stepping are loops over numbers. The file knows nothing of how tensors are used or stored.
 */
import { architectureProblem, engineError, type Architecture } from "../../../contract/index.ts";

/** An architecture with every default filled in. */
export interface ModelShape {
  readonly vocabularySize: number;
  /** The vocabulary rounded up to what vector instructions like; the added ids can never be sampled. */
  readonly paddedVocabularySize: number;
  readonly contextLength: number;
  /** The context rounded up in the same way: the longest row of a training batch, padding included. */
  readonly paddedContextLength: number;
  readonly width: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly feedForwardWidth: number;
  readonly norm: "rms" | "layer";
  readonly positions: "rotary" | "learned" | "linear-bias";
  readonly activation: "gelu" | "relu" | "swiglu";
  readonly tiedEmbeddings: boolean;
  /** A scalar per position, read from the last hidden layer. */
  readonly hasValueHead: boolean;
}

/** How a tensor is initialised: gains at one, biases at zero, matrices at random with this deviation. */
export type Initialisation =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "normal"; readonly deviation: number };

export interface Leaf {
  readonly name: string;
  readonly shape: readonly number[];
  /** In numbers from the start of the flat buffer. */
  readonly offset: number;
  readonly length: number;
  readonly initialisation: Initialisation;
  /** True for the projections that adapters are put on. */
  readonly isProjection: boolean;
}

/** Fills in defaults and refuses what cannot be built. */
export function resolveShape(architecture: Architecture, head: "policy" | "value" = "policy"): ModelShape {
  const { vocabularySize, contextLength, width, layerCount, headCount } = architecture;
  const feedForwardWidth = architecture.feedForwardWidth ?? 4 * width;
  const sizes = { vocabularySize, contextLength, width, layerCount, headCount, feedForwardWidth };
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < 1)
      throw refuse(`${name} must be a positive integer, got ${size}`);
  }
  const problem = architectureProblem(architecture);
  if (problem !== null) throw refuse(problem);
  if (feedForwardWidth % 4 !== 0)
    throw refuse(`feedForwardWidth must be a multiple of 4, got ${feedForwardWidth}`);
  return {
    ...sizes,
    paddedVocabularySize: Math.ceil(vocabularySize / 4) * 4,
    paddedContextLength: Math.ceil(contextLength / 4) * 4,
    norm: architecture.norm ?? "rms",
    positions: architecture.positions ?? "rotary",
    activation: architecture.activation ?? "gelu",
    tiedEmbeddings: architecture.tiedEmbeddings ?? true,
    hasValueHead: head === "value",
  };
}

function refuse(message: string): Error {
  return engineError("invalid-input", `architecture: ${message}`);
}

/** The architecture that `resolveShape` would turn into this shape; what is saved and shown. */
export function architectureOf(shape: ModelShape): Required<Architecture> {
  const {
    paddedVocabularySize: _vocabulary,
    paddedContextLength: _context,
    hasValueHead: _head,
    ...architecture
  } = shape;
  return architecture;
}

/** Two models with the same key can share compiled programs. */
export function shapeKey(shape: ModelShape): string {
  return Object.values(shape).join("-");
}

/** Every tensor of a model in the order of the flat buffer, aligned to 64 bytes each. */
export function listLeaves(shape: ModelShape): Leaf[] {
  const { width, feedForwardWidth, layerCount, paddedVocabularySize } = shape;
  const builder = new LayoutBuilder(shape);
  // Tied, the embeddings are read out as logits, which must begin small. Untied, small ones would be turned
  // around by a few steps of an optimizer like Adam, which moves every number at the same rate.
  const embeddingDeviation = shape.tiedEmbeddings ? 0.02 : 1;
  builder.add("embedding", [paddedVocabularySize, width], normal(embeddingDeviation));
  if (shape.positions === "learned")
    builder.add("positions", [shape.paddedContextLength, width], normal(embeddingDeviation));
  // Branches that add to the residual stream start smaller the more of them there are.
  const branch = 1 / Math.sqrt(2 * layerCount);
  for (let layer = 0; layer < layerCount; layer += 1) {
    const path = `layers.${layer}`;
    builder.addNorm(`${path}.attentionNorm`);
    for (const name of ["query", "key", "value"]) builder.addProjection(`${path}.${name}`, width, width, 1);
    builder.addProjection(`${path}.output`, width, width, branch);
    builder.addNorm(`${path}.feedForwardNorm`);
    if (shape.activation === "swiglu") builder.addProjection(`${path}.gate`, width, feedForwardWidth, 1);
    builder.addProjection(`${path}.up`, width, feedForwardWidth, 1);
    builder.addProjection(`${path}.down`, feedForwardWidth, width, branch);
  }
  builder.addNorm("finalNorm");
  if (!shape.tiedEmbeddings) builder.add("head", [paddedVocabularySize, width], normal(0.02));
  // At zero, so that a fresh head values every position alike and disturbs nothing.
  if (shape.hasValueHead) builder.add("valueHead", [width], { kind: "constant", value: 0 });
  return builder.leaves;
}

/** Numbers in the flat buffer, gaps for alignment included. */
export function bufferLength(leaves: readonly Leaf[]): number {
  const last = leaves.at(-1);
  return last === undefined ? 0 : alignLength(last.offset + last.length);
}

/** Length of a leaf without the rows that pad vocabulary or context. */
export function trueLength(shape: ModelShape, leaf: Leaf): number {
  switch (leaf.name) {
    case "embedding":
    case "head":
      return shape.vocabularySize * shape.width;
    case "positions":
      return shape.contextLength * shape.width;
    default:
      return leaf.length;
  }
}

function alignLength(length: number): number {
  return Math.ceil(length / 16) * 16;
}

function normal(deviation: number): Initialisation {
  return { kind: "normal", deviation };
}

class LayoutBuilder {
  readonly leaves: Leaf[] = [];
  private readonly shape: ModelShape;

  constructor(shape: ModelShape) {
    this.shape = shape;
  }

  add(name: string, shape: readonly number[], initialisation: Initialisation, isProjection = false): void {
    const length = shape.reduce((product, size) => product * size, 1);
    this.leaves.push({
      name,
      shape,
      offset: bufferLength(this.leaves),
      length,
      initialisation,
      isProjection,
    });
  }

  addProjection(name: string, inputs: number, outputs: number, scale: number): void {
    this.add(name, [inputs, outputs], normal(scale / Math.sqrt(inputs)), true);
  }

  addNorm(name: string): void {
    this.add(`${name}.gain`, [this.shape.width], { kind: "constant", value: 1 });
    if (this.shape.norm === "layer")
      this.add(`${name}.bias`, [this.shape.width], { kind: "constant", value: 0 });
  }
}
