"""The query of a request as a function of what its program defined. Knows no values and no limits."""

import ast

QUERY = "<query>"

# Held here: a program may replace them where it finds them.
_type, _isinstance, _compile, _eval = type, isinstance, compile, eval

# What an answer may be made of where it must not be able to change what judges it.
_DATA_NODES = (
    ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp,
    ast.unaryop, ast.operator, ast.boolop, ast.cmpop, ast.expr_context, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.comprehension, ast.Name, ast.Call, ast.keyword, ast.Starred, ast.Subscript, ast.Slice, ast.JoinedStr,
)  # fmt: skip
_DATA_CALLS = frozenset(
    "abs bool bytes bytearray chr complex dict divmod enumerate float frozenset int len list max min ord pow range"
    " reversed round set slice sorted str sum tuple zip Fraction Decimal Counter deque defaultdict OrderedDict".split()
)

# Where classes come from that hold data; those of others can reach further (`methodcaller`, `CodeType`).
_DATA_MODULES = frozenset("__program__ collections datetime decimal fractions".split())


class NotData(ValueError):
    """Arguments that are more than data, or no arguments at all."""


def parse_arguments(text):
    """The call of `_collect` with these arguments, and nothing else."""
    tree = ast.parse(f"_collect({text}\n)", QUERY, "eval")
    call = tree.body
    is_whole = _isinstance(call, ast.Call) and _isinstance(call.func, ast.Name) and call.func.id == "_collect"
    # The parenthesis that closes the call has to be ours, on the last line.
    if not is_whole or (call.end_lineno, call.end_col_offset) != (text.count("\n") + 2, 1):
        raise NotData("expected the arguments of one call")
    return tree


def check_data(tree, names):
    """Only literals, operators, and calls of harmless builtins and of the program's own classes."""
    for part in (*tree.body.args, *tree.body.keywords):
        _check_data(part, names, frozenset(), None)


def _check_data(node, names, bound, checked):
    """`bound`: variables of the comprehensions around this node. `checked`: what needs no look any more."""
    if node is checked:
        return
    if not _isinstance(node, _DATA_NODES):
        raise NotData(f"expected data, got {_type(node).__name__}")
    if _isinstance(node, ast.Call) and not _isinstance(node.func, ast.Name):
        raise NotData("expected calls of names alone")
    if _isinstance(node, ast.Name) and node.id not in bound:
        value = names.get(node.id)
        is_class = _isinstance(value, _type) and value.__module__ in _DATA_MODULES
        if not is_class and (node.id in names or node.id not in _DATA_CALLS):
            raise NotData(f"expected data, got the name {node.id}")
    if _isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp)):
        # Where it is made from is evaluated outside of it.
        checked = node.generators[0].iter
        _check_data(checked, names, bound, None)
        targets = (part for generator in node.generators for part in ast.walk(generator.target))
        bound = bound | {part.id for part in targets if _isinstance(part, ast.Name)}
    for child in ast.iter_child_nodes(node):
        _check_data(child, names, bound, checked)


def _collect(*positional, **named):
    return positional, named


def _splitlines(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


def compile_query(request, code=None):
    """A function of the program's names, made before the program runs so that bad queries cost nothing."""
    query = request["query"]
    if query is None:
        return lambda names: None
    if _isinstance(query, str):
        if code is None:
            code = _compile(query.strip(), QUERY, "eval", dont_inherit=True)
        return lambda names: _eval(code, names)
    tree = parse_arguments(_splitlines(query["arguments"]))
    code = _compile(tree, QUERY, "eval", dont_inherit=True)

    def call(names):
        if query["mode"] == "data":
            check_data(tree, names)
        function = names[query["call"]]
        scope = names if query["mode"] == "any" else {**names}
        scope["_collect"] = _collect
        try:
            positional, named = _eval(code, scope)
        finally:
            scope.pop("_collect", None)
        return function(*positional, **named)

    return call
