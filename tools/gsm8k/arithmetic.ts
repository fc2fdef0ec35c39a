/** Whole-number arithmetic with exact fractions in between: what a calculator annotation must say. */

interface Fraction {
  readonly numerator: bigint;
  /** Never zero. */
  readonly denominator: bigint;
}

/**
 * The value of an expression over whole numbers, `+ - * /` and parentheses as a whole number; null
 * where it has another value, divides by zero or is no such expression.
 */
export function evaluateInteger(expression: string): bigint | null {
  const tokens = expression.match(/\d+|[-+*/()]/g) ?? [];
  if (tokens.join("") !== expression) return null;
  const reader = { tokens, position: 0 };
  const value = readSum(reader);
  if (value === null || reader.position !== tokens.length || value.numerator % value.denominator !== 0n)
    return null;
  return value.numerator / value.denominator;
}

interface Reader {
  readonly tokens: readonly string[];
  position: number;
}

function readSum(reader: Reader): Fraction | null {
  return readChain(reader, readProduct, {
    "+": (left, right) => add(left, right),
    "-": (left, right) => add(left, { ...right, numerator: -right.numerator }),
  });
}

function readProduct(reader: Reader): Fraction | null {
  return readChain(reader, readOperand, {
    "*": (left, right) => ({
      numerator: left.numerator * right.numerator,
      denominator: left.denominator * right.denominator,
    }),
    "/": (left, right) =>
      right.numerator === 0n
        ? null
        : { numerator: left.numerator * right.denominator, denominator: left.denominator * right.numerator },
  });
}

type Operation = (left: Fraction, right: Fraction) => Fraction | null;

/** Operands of one strength, taken from the left. */
function readChain(
  reader: Reader,
  readPart: (reader: Reader) => Fraction | null,
  operations: Readonly<Record<string, Operation>>,
): Fraction | null {
  let value = readPart(reader);
  for (;;) {
    const operation = operations[reader.tokens[reader.position] ?? ""];
    if (value === null || operation === undefined) return value;
    reader.position += 1;
    const right = readPart(reader);
    value = right === null ? null : operation(value, right);
  }
}

function readOperand(reader: Reader): Fraction | null {
  const token = reader.tokens[reader.position] ?? "";
  reader.position += 1;
  if (/^\d+$/.test(token)) return { numerator: BigInt(token), denominator: 1n };
  if (token === "-") {
    const value = readOperand(reader);
    return value === null ? null : { ...value, numerator: -value.numerator };
  }
  if (token !== "(") return null;
  const inner = readSum(reader);
  return reader.tokens[reader.position++] === ")" ? inner : null;
}

function add(left: Fraction, right: Fraction): Fraction {
  return {
    numerator: left.numerator * right.denominator + right.numerator * left.denominator,
    denominator: left.denominator * right.denominator,
  };
}
