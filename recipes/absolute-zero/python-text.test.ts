/** What is read off a program without running it, and what tries to be overlooked. */
import { expect, test } from "vitest";
import { bannedModules } from "./banned-modules.ts";
import { bannedUse, definedFunctions, importsOf, maskText, renameFunction } from "./python-text.ts";

test("strings and comments are no code, and lines stay where they were", () => {
  const program = "x = \"def g(\" # import os\ny = '''\nimport sys\n'''\nz = \"a\\\"b\" + 'c\n";
  const masked = maskText(program);
  expect(masked).toHaveLength(program.length);
  expect(masked.split("\n").map((line) => line.trim())).toEqual(["x =", "y =", "", "", "z =        +", ""]);
});

test("a function is renamed with its calls, and nothing else", () => {
  const program = [
    "def add(a, b):",
    '    """add adds"""  # add',
    "    if b == 0: return a",
    "    return add(a + 1, b - 1) + x.add + adder",
  ].join("\n");
  expect(renameFunction(program, "add", "f")).toBe(
    [
      "def f(a, b):",
      '    """add adds"""  # add',
      "    if b == 0: return a",
      "    return f(a + 1, b - 1) + x.add + adder",
    ].join("\n"),
  );
});

test("nested functions and methods are definitions, words in strings are not", () => {
  const program = [
    "class A:",
    "    def m(self): pass",
    "async def g(): pass",
    "def f(x):",
    "    def inner(): pass",
    "    return 'def no():'",
  ];
  expect(definedFunctions(program.join("\n"))).toEqual(["m", "g", "f", "inner"]);
});

test.each([
  ["import os.path", [{ name: "os.path", alias: "os" }]],
  [
    "import os as o, math",
    [
      { name: "os", alias: "o" },
      { name: "math", alias: "math" },
    ],
  ],
  [
    "from os import (environ as e,\n  sep)",
    [
      { name: "os.environ", alias: "e" },
      { name: "os.sep", alias: "sep" },
    ],
  ],
  ["x = 1; from os import\\\n path", [{ name: "os.path", alias: "path" }]],
  ["s = 'import os'", []],
])("imports of %s", (program, expected) => {
  expect(importsOf(program)).toEqual(expected);
});

test.each([
  ["import random", "random"],
  ["from random import randint", "random"],
  ["import os\nx = os.environ", "os.environ"],
  ["import os as o\nx = o . path", "os.path"],
  ["from os import environ", "os.environ"],
  ["def f(x):\n    import sys\n    return x", "sys"],
  ["import shutil", "shutil"],
  ["import multiprocessing.pool as p", "multiprocessing"],
  ["import importlib", "importlib"],
  ["__import__('os')", "__import__"],
  ["import math, collections", null],
  ["# import random\nx = 'import time'", null],
  ["randomness = 1", null],
  ["import timeit", null],
])("%s uses what is banned: %s", (program, expected) => {
  expect(bannedUse(program, bannedModules)).toBe(expected);
});
