/**
 * Rewrites traced equations into fewer passes over memory, which is where an operator library spends its time.
 *
 * One pattern is worth it: the logistic function and its derivative, written in the model with an exponential that
 * is bounded against overflow. The operator needs no bound, and its derivative is s - s s.
 * The results differ from the equations by less than one rounding of float32.
 */
import type { Equation, TracedFunction, TracedOperand, TracedValue } from "./traced.ts";

type Rewrites = Map<Equation, Equation[]>;

export function simplify(traced: TracedFunction): TracedFunction {
  const finder = new Finder(traced.equations);
  const rewrites: Rewrites = new Map();
  for (const equation of traced.equations) finder.rewriteLogistic(equation, rewrites);
  const equations = traced.equations.flatMap((equation) => rewrites.get(equation) ?? [equation]);
  return withoutUnused({ ...traced, equations });
}

class Finder {
  private readonly makers = new Map<TracedOperand, Equation>();
  private readonly users = new Map<TracedOperand, Equation[]>();

  constructor(equations: readonly Equation[]) {
    for (const equation of equations) {
      this.makers.set(equation.output, equation);
      for (const input of new Set(equation.inputs))
        this.users.set(input, [...(this.users.get(input) ?? []), equation]);
    }
  }

  /** 1 / (1 + exp(-max(x, bound))), with bound far below where float32 can tell the result from 0. */
  rewriteLogistic(reciprocal: Equation, rewrites: Rewrites): void {
    if (reciprocal.primitive !== "reciprocal") return;
    const sum = this.made(reciprocal.inputs[0], "add", 1);
    const exponential = this.made(sum?.inputs[0], "exp");
    const negated = this.made(exponential?.inputs[0], "mul", -1);
    if (exponential === undefined || negated === undefined) return;
    const bounded = this.made(negated.inputs[0], "max");
    const isFarBelow = bounded !== undefined && isLiteralUpTo(bounded.inputs[1], -40);
    const argument = isFarBelow ? bounded.inputs[0] : negated.inputs[0];
    if (argument === undefined) return;
    const derivatives = this.findDerivatives(reciprocal.output, exponential.output);
    if (derivatives === null) return;
    const logistic = reciprocal.output;
    rewrites.set(reciprocal, [
      { primitive: "logistic", inputs: [argument], output: logistic, parameters: {} },
    ]);
    for (const { product, factor } of derivatives) {
      rewrites.set(product, derivativeOf(logistic, factor, product.output));
      if (isFarBelow) this.dropBound(product.output, bounded, rewrites);
    }
  }

  /** All uses of the exponential but the sum: products `e * (-(s s) * factor)`. Null where there is another use. */
  private findDerivatives(
    logistic: TracedValue,
    exponential: TracedValue,
  ): { product: Equation; factor: TracedOperand }[] | null {
    const result = [];
    for (const user of this.users.get(exponential) ?? []) {
      if (user.primitive === "add") continue;
      if (user.primitive !== "mul") return null;
      const other = this.made(
        user.inputs.find((input) => input !== exponential),
        "mul",
      );
      const [negative, factor] = other?.inputs ?? [];
      const square = this.made(this.made(negative, "neg")?.inputs[0], "mul");
      if (factor === undefined || !square?.inputs.every((input) => input === logistic)) return null;
      result.push({ product: user, factor });
    }
    return result;
  }

  /** Beyond the bound the derivative is 0 in float32 anyhow. */
  private dropBound(product: TracedValue, bounded: Equation, rewrites: Rewrites): void {
    for (const user of this.users.get(product) ?? []) {
      if (user.primitive !== "mul") continue;
      for (const choice of this.users.get(user.output) ?? []) {
        const comparison = this.made(choice.inputs[0], "compare");
        if (choice.primitive !== "where" || comparison?.inputs[0] !== bounded.inputs[0]) continue;
        if (choice.inputs[2] !== user.output || !isLiteralUpTo(choice.inputs[1], 0)) continue;
        const copy = {
          primitive: "stop_gradient",
          inputs: [user.output],
          output: choice.output,
          parameters: {},
        };
        rewrites.set(choice, [copy]);
      }
    }
  }

  private made(
    operand: TracedOperand | undefined,
    primitive: string,
    literal?: number,
  ): Equation | undefined {
    const equation = operand === undefined ? undefined : this.makers.get(operand);
    if (equation?.primitive !== primitive) return undefined;
    const [, second] = equation.inputs;
    if (literal !== undefined && !(second !== undefined && "value" in second && second.value === literal))
      return undefined;
    return equation;
  }
}

/** `output = -(s - s s) * factor`. */
function derivativeOf(logistic: TracedValue, factor: TracedOperand, output: TracedValue): Equation[] {
  const { shape, type } = logistic;
  const parameters = {};
  const square: TracedValue = { shape, type };
  const slope: TracedValue = { shape, type };
  return [
    { primitive: "mul", inputs: [logistic, logistic], output: square, parameters },
    { primitive: "sub", inputs: [square, logistic], output: slope, parameters },
    { primitive: "mul", inputs: [slope, factor], output, parameters },
  ];
}

function isLiteralUpTo(operand: TracedOperand | undefined, limit: number): boolean {
  return operand !== undefined && "value" in operand && Number(operand.value) <= limit;
}

function withoutUnused(traced: TracedFunction): TracedFunction {
  const wanted = new Set<TracedOperand>(traced.outputs);
  const equations: Equation[] = [];
  for (const equation of traced.equations.toReversed()) {
    if (!wanted.has(equation.output)) continue;
    equations.push(equation);
    for (const input of equation.inputs) wanted.add(input);
  }
  return { ...traced, equations: equations.toReversed() };
}
