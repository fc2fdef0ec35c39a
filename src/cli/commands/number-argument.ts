/** Parsers for options that are numbers; commander puts the name of the option before the message. */
import { InvalidArgumentError } from "commander";

export interface NumberBounds {
  readonly minimum: number;
  readonly maximum?: number;
}

export function wholeNumber(bounds: NumberBounds): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isSafeInteger(value) && isWithin(value, bounds)) return value;
    throw new InvalidArgumentError(`Expected a whole number${wordsOf(bounds)}.`);
  };
}

export function decimalNumber(bounds: NumberBounds): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isFinite(value) && isWithin(value, bounds)) return value;
    throw new InvalidArgumentError(`Expected a number${wordsOf(bounds)}.`);
  };
}

function isWithin(value: number, { minimum, maximum = Number.POSITIVE_INFINITY }: NumberBounds): boolean {
  return value >= minimum && value <= maximum;
}

function wordsOf({ minimum, maximum }: NumberBounds): string {
  const lower = minimum === Number.MIN_SAFE_INTEGER ? "" : ` of at least ${minimum}`;
  return maximum === undefined ? lower : `${lower} and at most ${maximum}`;
}
