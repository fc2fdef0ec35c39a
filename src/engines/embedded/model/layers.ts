/**
 * The parts of a transformer layer that training and sampling share, as pure functions of jax-js arrays.
 *
 * jax-js moves arrays into functions: whoever uses one twice takes `.ref`. Each formula is written so that the code
 * generator finds contiguous loads, and so that the order of every sum is fixed by the model's sizes alone: that is
 * what makes the bits of a row independent of the other rows.
 */
import type { JaxArray, JaxModule } from "../executor/capture.ts";
import type { ModelShape } from "./layout.ts";

/** Gives a new reference to the tensor of that name. */
export type Weights = (name: string) => JaxArray;

export interface LayerContext {
  readonly jax: JaxModule;
  readonly shape: ModelShape;
  readonly weights: Weights;
}

const epsilon = 1e-5;

/** @shape x: `[N, D]` */
export function normalize({ jax, shape, weights }: LayerContext, name: string, x: JaxArray): JaxArray {
  const { numpy } = jax;
  const rows = x.shape[0]!;
  let centred = x;
  if (shape.norm === "layer") {
    const mean = numpy.sum(x.ref, -1).mul(1 / shape.width);
    centred = x.sub(mean.reshape([rows, 1]));
  }
  const meanSquare = numpy
    .vecdot(centred.ref, centred.ref)
    .mul(1 / shape.width)
    .add(epsilon);
  const scale = numpy.reciprocal(numpy.sqrt(meanSquare)).reshape([rows, 1]);
  const scaled = centred.mul(scale).mul(weights(`${name}.gain`));
  return shape.norm === "layer" ? scaled.add(weights(`${name}.bias`)) : scaled;
}

/** @shape x: `[N, inputs]` to `[N, outputs]` */
export function project({ jax, weights }: LayerContext, name: string, x: JaxArray): JaxArray {
  return jax.numpy.matmul(x, weights(name));
}

/** The feed-forward half of a layer, without norm and residual. */
export function feedForward(context: LayerContext, path: string, x: JaxArray): JaxArray {
  const up = context.shape.activation === "swiglu" ? x.ref : x;
  const hidden = activate(context, path, project(context, `${path}.up`, up), x);
  return project(context, `${path}.down`, hidden);
}

/** `hidden` is the up projection of `x`; only the gated unit looks at `x` again. */
function activate(context: LayerContext, path: string, hidden: JaxArray, x: JaxArray): JaxArray {
  const { numpy } = context.jax;
  switch (context.shape.activation) {
    case "relu":
      return numpy.maximum(hidden, 0);
    case "gelu": {
      // x sigmoid(2 u) = x (1 + tanh u) / 2: the tanh form of GELU, with one exponential.
      const twiceSqrt = 2 * Math.sqrt(2 / Math.PI);
      const slope = hidden.ref
        .mul(hidden.ref)
        .mul(0.044715 * twiceSqrt)
        .add(twiceSqrt);
      return hidden.ref.mul(sigmoid(context.jax, hidden.mul(slope)));
    }
    case "swiglu": {
      const gate = project(context, `${path}.gate`, x);
      return gate.ref.mul(sigmoid(context.jax, gate)).mul(hidden);
    }
  }
}

/**
 * Bounded below at -60, where it is 1e-26: further out the exponential of the derivative is infinite in
 * float32 while the square of the result is 0, and their product is not a number.
 */
function sigmoid(jax: JaxModule, x: JaxArray): JaxArray {
  return jax.numpy.reciprocal(jax.numpy.exp(jax.numpy.maximum(x, -60).mul(-1)).add(1));
}

/**
 * Rotates pairs (i, i + d/2) of each head. `sine` carries the sign, so that the partner is a mirrored view.
 *
 * @shape x: `[..., H, d]`; cosine, sine: broadcast against `[..., H, 2, d/2]`
 */
export function rotate(jax: JaxModule, x: JaxArray, cosine: JaxArray, sine: JaxArray): JaxArray {
  const { shape } = x;
  const split = x.reshape([...shape.slice(0, -1), 2, shape.at(-1)! / 2]);
  const partner = jax.numpy.flip(split.ref, split.ndim - 2);
  return split.mul(cosine).add(partner.mul(sine)).reshape(shape);
}

/** Logits over the padded vocabulary. @shape hidden: `[N, D]`, after the final norm, to `[N, V]` */
export function readOut(context: LayerContext, hidden: JaxArray): JaxArray {
  const { shape, weights, jax } = context;
  const matrix = weights(shape.tiedEmbeddings ? "embedding" : "head");
  const rows = hidden.shape[0]!;
  return jax.numpy.vecdot(
    hidden.reshape([rows, 1, shape.width]),
    matrix.reshape([1, shape.paddedVocabularySize, shape.width]),
  );
}
