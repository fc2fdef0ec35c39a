/**
 * Small programs with inputs, written for this recipe: seeds where a model is too small to find its own, and random
 * proposals for a control. The method itself starts from the identity.
 */

export interface Seed {
  readonly program: string;
  /** Six at least, all of which run. */
  readonly inputs: readonly string[];
}

const texts = [
  "'level'",
  "'abcab'",
  "'Hello World'",
  "'x'",
  "'banana split'",
  "'aAbB12'",
  "''",
  "'zz top'",
  "'12 3'",
  "'qwerty'",
];
const lists = [
  "[3, 1, 2]",
  "[5, 5, 0, -2]",
  "[10]",
  "[7, 8, 9, 1]",
  "[]",
  "[2, 4, 6, 8]",
  "[1, -1, 1, -1]",
  "[9, 3, 9]",
  "[0, 0]",
  "[6, 2, 11]",
];
const numbers = ["7", "12", "0", "100", "31", "5", "64", "18", "9", "27"];

function seed(inputs: readonly string[], ...lines: readonly string[]): Seed {
  return { program: ["def f(x):", ...lines.map((line) => `    ${line}`)].join("\n"), inputs };
}

export const shippedSeeds: readonly Seed[] = [
  seed(texts, "return x[::-1]"),
  seed(texts, "return sorted(set(x))"),
  seed(texts, "return {letter: x.count(letter) for letter in x}"),
  seed(texts, "return ''.join(c.upper() if i % 2 == 0 else c.lower() for i, c in enumerate(x))"),
  seed(texts, "words = x.split()", "return [len(word) for word in words]"),
  seed(texts, "return sum(1 for c in x if c in 'aeiou')"),
  seed(texts, "out = ''", "for c in x:", "    if c not in out:", "        out += c", "return out"),
  seed(texts, "return [ord(c) % 10 for c in x]"),
  seed(texts, "half = len(x) // 2", "return x[half:] + x[:half]"),
  seed(texts, "return x == x[::-1]"),
  seed(lists, "return sorted(x, reverse=True)"),
  seed(
    lists,
    "total = 0",
    "out = []",
    "for y in x:",
    "    total += y",
    "    out.append(total)",
    "return out",
  ),
  seed(lists, "return [y * y for y in x if y % 2 == 0]"),
  seed(lists, "return sum(x) - len(x)"),
  seed(lists, "return [a - b for a, b in zip(x[1:], x)]"),
  seed(lists, "return max(x) if x else None or 0"),
  seed(lists, "return x[::2] + x[1::2]"),
  seed(lists, "return [y for i, y in enumerate(x) if y not in x[:i]]"),
  seed(lists, "low = min(x, default=0)", "return [y - low for y in x]"),
  seed(
    lists,
    "count = 0",
    "for a, b in zip(x, x[1:]):",
    "    if a > b:",
    "        count += 1",
    "return count",
  ),
  seed(lists, "return tuple(x[-1:] + x[:-1])"),
  seed(numbers, "return sum(int(digit) for digit in str(x))"),
  seed(numbers, "return [d for d in range(1, x + 1) if x % d == 0]"),
  seed(
    numbers,
    "steps = 0",
    "while x > 1:",
    "    x = x // 2 if x % 2 == 0 else 3 * x + 1",
    "    steps += 1",
    "return steps",
  ),
  seed(numbers, "return bin(x)[2:].count('1')"),
  seed(numbers, "a, b = 0, 1", "for _ in range(x):", "    a, b = b, (a + b) % 1000", "return a"),
  seed(numbers, "return int(str(x)[::-1])"),
  seed(numbers, "return 'even' if x % 2 == 0 else 'odd'"),
  seed(numbers, "out = []", "while x:", "    x, rest = divmod(x, 3)", "    out.append(rest)", "return out"),
  seed(
    numbers,
    "total = 1",
    "for y in range(2, min(x, 12) + 1):",
    "    total = total * y % 97",
    "return total",
  ),
  seed(numbers, "return x * (x + 1) // 2"),
  seed(numbers, "return [y for y in range(2, x) if all(y % z for z in range(2, y))]"),
];
