/** A custom loss is the user's code: its gradients must have the shape of the rows and hold finite numbers. */
import { engineError, type CustomLoss, type Datum, type LossEvaluation } from "../../../contract/index.ts";

/** @throws `invalid-input` */
export function checkGradients(
  loss: CustomLoss,
  { gradients }: LossEvaluation,
  data: readonly Datum[],
): void {
  for (const name of ["entropies", "values"] as const) {
    if (gradients[name] !== undefined) {
      throw engineError(
        "invalid-input",
        `loss ${loss.name}: expected no gradient for ${name}, which it does not read`,
      );
    }
  }
  const rows = gradients.logprobs;
  if (rows === undefined) return;
  data.forEach(({ targets }, row) => {
    const gradient = rows[row];
    if (gradient?.length !== targets.length) {
      throw engineError(
        "invalid-input",
        `loss ${loss.name}: expected ${targets.length} gradients in row ${row}, got ${gradient?.length ?? "none"}`,
      );
    }
    const position = gradient.findIndex((value) => !Number.isFinite(value));
    if (position === -1) return;
    throw engineError(
      "invalid-input",
      `loss ${loss.name}: expected finite gradients, got ${gradient[position]} in row ${row} at position ${position}`,
    );
  });
}
