/** Adds losses: a policy gradient with a KL term and an entropy bonus is one sum of three terms. */
import type { CustomLoss, LossEvaluation, LossOutputName } from "../contract/index.ts";
import { lossInputError } from "./loss-input.ts";
import { addMetrics } from "./metrics.ts";

export interface SumTerm {
  readonly loss: CustomLoss;
  /** Default 1. */
  readonly coefficient?: number;
}

/**
 * sum of coefficient * loss; gradients likewise. Each term's share of the value is reported as
 * `loss/NAME/sum`, its own metrics as they are.
 *
 * @throws `invalid-input` for terms of one name and coefficients that are no numbers
 */
export function sumOf(terms: readonly SumTerm[], name = "sum"): CustomLoss {
  const names = terms.map((term) => term.loss.name);
  const repeated = names.find((termName, index) => names.indexOf(termName) !== index);
  if (repeated !== undefined)
    throw lossInputError(`sumOf: expected terms of different names, got ${repeated} twice`);
  for (const { loss, coefficient = 1 } of terms) {
    if (!Number.isFinite(coefficient))
      throw lossInputError(`sumOf: expected a finite coefficient of ${loss.name}, got ${coefficient}`);
  }
  const reads = [...new Set(terms.flatMap((term) => term.loss.reads ?? []))];
  return {
    name,
    ...(reads.length === 0 ? {} : { reads }),
    evaluate: (outputs, data) => {
      const parts = terms.map(({ loss, coefficient = 1 }) => ({
        name: loss.name,
        coefficient,
        evaluation: loss.evaluate(outputs, data),
      }));
      const shares = parts.map((part): [string, number] => [
        `loss/${part.name}/sum`,
        part.coefficient * part.evaluation.value,
      ]);
      return {
        value: shares.reduce((sum, [, share]) => sum + share, 0),
        gradients: addGradients(parts),
        metrics: addMetrics(...parts.map((part) => part.evaluation.metrics), Object.fromEntries(shares)),
      };
    },
  };
}

type Part = { readonly coefficient: number; readonly evaluation: LossEvaluation };

function addGradients(parts: readonly Part[]): LossEvaluation["gradients"] {
  const outputNames: readonly LossOutputName[] = ["logprobs", "entropies", "values"];
  const sums: { [Name in LossOutputName]?: Float64Array[] } = {};
  for (const output of outputNames) {
    for (const { coefficient, evaluation } of parts) {
      const gradients = evaluation.gradients[output];
      if (gradients === undefined) continue;
      const scaled = gradients.map((row) => row.map((entry) => coefficient * entry));
      const before = sums[output];
      sums[output] =
        before === undefined
          ? scaled
          : before.map((row, rowIndex) =>
              row.map((entry, position) => entry + (scaled[rowIndex]?.[position] ?? 0)),
            );
    }
  }
  return sums;
}
