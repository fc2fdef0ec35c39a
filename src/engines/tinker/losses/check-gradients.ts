/** A custom loss is the user's code: its gradients must have the shape of the rows and hold finite numbers. */
import {
  engineError,
  type CustomLoss,
  type Datum,
  type LossEvaluation,
  type LossOutputName,
} from "../../../contract/index.ts";

/** One gradient per row and target; what a loss left out of `logprobs` is zero, other outputs stay out. */
export interface CheckedGradients {
  readonly logprobs: readonly Float64Array[];
  readonly entropies?: readonly Float64Array[];
  readonly values?: readonly Float64Array[];
}

/** @throws `invalid-input` */
export function checkGradients(
  loss: CustomLoss,
  { gradients }: LossEvaluation,
  data: readonly Datum[],
): CheckedGradients {
  for (const name of ["entropies", "values"] as const) {
    if (gradients[name] !== undefined && loss.reads?.includes(name) !== true) {
      throw engineError(
        "invalid-input",
        `loss ${loss.name}: expected ${name} among what it reads, since it has a gradient for them`,
      );
    }
  }
  const checked = (name: LossOutputName): readonly Float64Array[] =>
    data.map((datum, row) =>
      checkRow(gradients[name]?.[row], datum.targets.length, `loss ${loss.name}: row ${row}: ${name}`),
    );
  return {
    logprobs: checked("logprobs"),
    ...(gradients.entropies === undefined ? {} : { entropies: checked("entropies") }),
    ...(gradients.values === undefined ? {} : { values: checked("values") }),
  };
}

/** A row that was left out has gradient zero. */
function checkRow(gradient: Float64Array | undefined, length: number, where: string): Float64Array {
  if (gradient === undefined) return new Float64Array(length);
  if (gradient.length !== length)
    throw engineError("invalid-input", `${where}: expected ${length} gradients, got ${gradient.length}`);
  const position = gradient.findIndex((value) => !Number.isFinite(value));
  if (position === -1) return gradient;
  throw engineError(
    "invalid-input",
    `${where}: expected finite gradients, got ${gradient[position]} at position ${position}`,
  );
}
