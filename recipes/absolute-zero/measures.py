"""How complex a program is, how far it is from others, and what is left of it without remarks. Works on the text of
programs and executes none. Knows no reward.
"""

import ast
import difflib
import json
import math

_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.match_case)
_NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.Match)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def cyclomatic(tree):
    """Ways through the program that do not depend on each other: one, and one more per branch."""
    count = 1
    for node in ast.walk(tree):
        if isinstance(node, _BRANCHES):
            count += 1
        elif isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += 1 + len(node.ifs)
    return count


def cognitive(node, depth=0):
    """Breaks in the flow, each counted more the deeper it is nested; sequences of one boolean operator count once."""
    total = 0
    for child in ast.iter_child_nodes(node):
        is_else_if = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse and len(node.orelse) == 1
        inner = depth
        if is_else_if:
            total += 1
        elif isinstance(child, _NESTING):
            total += 1 + depth
            inner = depth + 1
        elif isinstance(child, _FUNCTIONS) and depth > 0:
            inner = depth + 1
        elif isinstance(child, _COMPREHENSIONS):
            total += len(child.generators) + sum(len(part.ifs) for part in child.generators)
        elif isinstance(child, ast.BoolOp):
            total += 1
        if isinstance(child, ast.If) and child.orelse and not (len(child.orelse) == 1 and isinstance(child.orelse[0], ast.If)):
            total += 1
        total += cognitive(child, inner)
    return total


def halstead(tree):
    """Volume and effort from operators and operands."""
    operators, operands = [], []
    for node in ast.walk(tree):
        if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.AugAssign)):
            operators.append(type(node.op).__name__)
            parts = getattr(node, "values", None) or [getattr(node, name) for name in ("left", "right", "operand", "target", "value") if hasattr(node, name)]
            operands.extend(ast.dump(part) for part in parts)
        elif isinstance(node, ast.Compare):
            operators.extend(type(operation).__name__ for operation in node.ops)
            operands.extend(ast.dump(part) for part in (node.left, *node.comparators))
    vocabulary, length = len(set(operators)) + len(set(operands)), len(operators) + len(operands)
    if vocabulary == 0:
        return 0.0, 0.0
    volume = length * math.log2(vocabulary)
    difficulty = len(set(operators)) / 2 * (len(operands) / len(set(operands)))
    return volume, difficulty * volume


def _shape(node):
    if isinstance(node, ast.AST):
        return {"type": type(node).__name__, **{name: _shape(value) for name, value in ast.iter_fields(node)}}
    if isinstance(node, list):
        return [_shape(one) for one in node]
    return node if node is None or isinstance(node, (bool, int, float, str)) else repr(node)


def _shape_text(program):
    return json.dumps(_shape(ast.parse(program)), sort_keys=True)


def distance(program, others):
    """One minus the mean likeness of the trees, as sorted JSON; nothing where there is nothing to compare with."""
    if not others:
        return 0.0
    own = _shape_text(program)
    return sum(1 - difflib.SequenceMatcher(None, own, _shape_text(other)).ratio() for other in others) / len(others)


def measure(program, others):
    """Cognitive complexity, cyclomatic complexity, Halstead's volume and effort, mean distance to other programs."""
    tree = ast.parse(program)
    volume, effort = halstead(tree)
    return [cognitive(tree), cyclomatic(tree), volume, effort, distance(program, others)]


def strip(program):
    """Without comments, docstrings, and what a module does besides importing and defining."""
    tree = ast.parse(program)
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    tree.body = [node for node in tree.body if isinstance(node, kept)]
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(ast.fix_missing_locations(tree))
