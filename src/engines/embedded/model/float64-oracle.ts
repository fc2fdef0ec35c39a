/**
 * The transformer in plain float64 loops, for tests only: what the compiled programs are compared with. Slow and
 * literal on purpose; it shares the layout and the tables' meaning with the engine and no arithmetic.
 */
import { present } from "../../../base/index.ts";
import type { Leaf, ModelShape } from "./layout.ts";

type Vector = number[];

export interface Oracle {
  readonly shape: ModelShape;
  readonly leaves: readonly Leaf[];
  readonly weights: ArrayLike<number>;
}

/** Log-probabilities of `targets` after each token. */
export function oracleLogprobs(
  oracle: Oracle,
  tokens: readonly number[],
  targets: readonly number[],
): number[] {
  return oracleLogits(oracle, tokens).map((logits, position) => {
    const largest = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    return present(logits[targets[position] ?? 0], "the logit of a target") - largest - Math.log(total);
  });
}

/** Logits over the true vocabulary after each token. */
export function oracleLogits(oracle: Oracle, tokens: readonly number[]): Vector[] {
  const { shape } = oracle;
  const { width } = shape;
  let stream = tokens.map((token, position) => {
    const embedded = slice(tensor(oracle, "embedding"), token * width, width);
    return shape.positions === "learned"
      ? add(embedded, slice(tensor(oracle, "positions"), position * width, width))
      : embedded;
  });
  for (let layer = 0; layer < shape.layerCount; layer += 1) {
    const path = `layers.${layer}`;
    const attended = attend(
      oracle,
      path,
      stream.map((x) => normalize(oracle, `${path}.attentionNorm`, x)),
    );
    stream = stream.map((x, position) => add(x, present(attended[position], "a row")));
    stream = stream.map((x) =>
      add(x, feedForward(oracle, path, normalize(oracle, `${path}.feedForwardNorm`, x))),
    );
  }
  const head = tensor(oracle, shape.tiedEmbeddings ? "embedding" : "head");
  return stream.map((x) => {
    const hidden = normalize(oracle, "finalNorm", x);
    return Array.from({ length: shape.vocabularySize }, (_, id) =>
      dot(hidden, slice(head, id * width, width)),
    );
  });
}

function tensor({ leaves, weights }: Oracle, name: string): Vector {
  const leaf = present(
    leaves.find((candidate) => candidate.name === name),
    `the tensor ${name}`,
  );
  return Array.from({ length: leaf.length }, (_, index) => weights[leaf.offset + index] ?? 0);
}

function normalize(oracle: Oracle, name: string, x: Vector): Vector {
  const isLayer = oracle.shape.norm === "layer";
  const mean = isLayer ? sum(x) / x.length : 0;
  const centred = x.map((value) => value - mean);
  const scale = 1 / Math.sqrt(dot(centred, centred) / x.length + 1e-5);
  const gain = tensor(oracle, `${name}.gain`);
  const bias = isLayer ? tensor(oracle, `${name}.bias`) : x.map(() => 0);
  return centred.map((value, index) => value * scale * (gain[index] ?? 0) + (bias[index] ?? 0));
}

function project(oracle: Oracle, name: string, x: Vector): Vector {
  const matrix = tensor(oracle, name);
  const outputs = matrix.length / x.length;
  return Array.from({ length: outputs }, (_, output) =>
    x.reduce((total, value, input) => total + value * (matrix[input * outputs + output] ?? 0), 0),
  );
}

function feedForward(oracle: Oracle, path: string, x: Vector): Vector {
  const up = project(oracle, `${path}.up`, x);
  switch (oracle.shape.activation) {
    case "relu":
      return project(
        oracle,
        `${path}.down`,
        up.map((value) => Math.max(value, 0)),
      );
    case "gelu": {
      const gelu = (value: number): number =>
        0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)));
      return project(oracle, `${path}.down`, up.map(gelu));
    }
    case "swiglu": {
      const gate = project(oracle, `${path}.gate`, x).map((value) => value / (1 + Math.exp(-value)));
      return project(
        oracle,
        `${path}.down`,
        up.map((value, index) => value * (gate[index] ?? 0)),
      );
    }
  }
}

function attend(oracle: Oracle, path: string, rows: readonly Vector[]): Vector[] {
  const { headCount, width, positions } = oracle.shape;
  const size = width / headCount;
  const part = (name: string): Vector[] => rows.map((x) => project(oracle, `${path}.${name}`, x));
  const [queries, keys, values] = [part("query"), part("key"), part("value")];
  const headOf = (list: readonly Vector[], position: number, head: number): Vector =>
    slice(present(list[position], "a row"), head * size, size);
  const turn = (vector: Vector, position: number): Vector =>
    positions === "rotary" ? rotate(vector, position) : vector;
  return rows.map((_, position) => {
    const mixed = Array.from({ length: headCount }, (_unused, head) => {
      const query = turn(headOf(queries, position, head), position);
      const slope = positions === "linear-bias" ? 2 ** ((-8 * (head + 1)) / headCount) : 0;
      const scores = Array.from(
        { length: position + 1 },
        (_key, other) =>
          dot(query, turn(headOf(keys, other, head), other)) / Math.sqrt(size) - slope * (position - other),
      );
      const largest = Math.max(...scores);
      const exponentials = scores.map((score) => Math.exp(score - largest));
      const total = sum(exponentials);
      return Array.from({ length: size }, (_component, index) =>
        exponentials.reduce(
          (mix, exponential, other) =>
            mix + (exponential / total) * (headOf(values, other, head)[index] ?? 0),
          0,
        ),
      );
    });
    return project(oracle, `${path}.output`, mixed.flat());
  });
}

/** Component i turns with component i + d/2 by `position / 10000^(2i/d)`. */
function rotate(vector: Vector, position: number): Vector {
  const half = vector.length / 2;
  return vector.map((value, index) => {
    const angle = position * 10_000 ** (-(index % half) / half);
    const partner = vector[(index + half) % vector.length] ?? 0;
    return value * Math.cos(angle) + (index < half ? -partner : partner) * Math.sin(angle);
  });
}

function slice(vector: Vector, start: number, length: number): Vector {
  return vector.slice(start, start + length);
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((total, value, index) => total + value * (b[index] ?? 0), 0);
}

function add(a: Vector, b: Vector): Vector {
  return a.map((value, index) => value + (b[index] ?? 0));
}

function sum(vector: Vector): number {
  return vector.reduce((total, value) => total + value, 0);
}
