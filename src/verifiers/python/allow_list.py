"""Which programs may run in a warm interpreter that others have used, and whether they left it as it was.

A program is judged by what the compiler made of it: every global, attribute and import that its code can name is in the
list below or defined by the program itself, none is private, and no constant is a way round. So it can reach
builtins, a few modules and its own objects, and the check afterwards looks at all of these. Whatever is not allowed is
no harm: it runs on a clean image. Knows no request.
"""

import builtins
import bisect
import collections
import functools
import gc
import heapq
import itertools
import math
import opcode
import string
import sys
import types
import warnings
from operator import is_

_MODULES = (bisect, collections, functools, heapq, itertools, math, string)
_TYPES = (str, bytes, int, float, complex, list, tuple, dict, set, frozenset, range, collections.deque, collections.Counter)

_BUILTINS = frozenset(
    "abs all any ascii bin bool bytearray bytes chr complex dict divmod enumerate filter float frozenset hex int"
    " isinstance iter len list map max min next oct ord pow print range repr reversed round set slice sorted str sum"
    " tuple zip ArithmeticError AssertionError AttributeError Exception IndexError KeyError LookupError OverflowError"
    " RuntimeError StopIteration TypeError ValueError ZeroDivisionError NotImplementedError".split()
)
_IMPORTED = frozenset(
    "bisect bisect_left bisect_right insort insort_left insort_right Counter OrderedDict defaultdict deque"
    " reduce partial cmp_to_key lru_cache cache heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest"
    " accumulate chain combinations combinations_with_replacement compress count cycle dropwhile filterfalse groupby islice"
    " pairwise permutations product repeat starmap takewhile tee zip_longest from_iterable"
    " ascii_letters ascii_lowercase ascii_uppercase digits hexdigits punctuation".split()
) | {name for name in vars(math) if not name.startswith("_")}
# A format reaches attributes that nobody sees in the code.
_WITHHELD = {"format", "format_map"}
_METHODS = {name for kind in _TYPES for name in dir(kind) if not name.startswith("_")} - _WITHHELD
_SPECIAL = frozenset(
    "__init__ __repr__ __str__ __len__ __iter__ __next__ __contains__ __getitem__ __setitem__ __call__ __add__ __sub__"
    " __mul__ __lt__ __le__ __gt__ __ge__ __eq__ __hash__ __name__ __module__ __qualname__ __firstlineno__"
    " __static_attributes__ __classdict__ __classcell__ __class__cell __build_class__".split()
)
_ALLOWED = _BUILTINS | _IMPORTED | _METHODS | _SPECIAL | {module.__name__ for module in _MODULES}

# Names of interpreter objects that begin with no underscore, and whatever else the modules above hold.
_MACHINERY = frozenset("gi cr ag f tb co func im".split())
_RESERVED = _WITHHELD | {name for module in (builtins, *_MODULES) for name in vars(module)} | {
    name for kind in (type, types.FunctionType, types.CodeType, types.ModuleType, types.GeneratorType) for name in dir(kind)
}
_CODE = types.CodeType
# `case Point(x=1)` and `del a.b` name attributes in other ways, or take away instead of adding.
_BANNED = {opcode.opmap[name] for name in ("MATCH_CLASS", "DELETE_ATTR", "DELETE_GLOBAL") if name in opcode.opmap}
_IMPORT, _EXTENDED = opcode.opmap["IMPORT_NAME"], opcode.opmap["EXTENDED_ARG"]
_MODULE_NAMES = frozenset(module.__name__ for module in _MODULES)
_LONGEST_NAME = 60


def _is_own(name):
    if name.startswith("_") or len(name) > _LONGEST_NAME or name in _RESERVED:
        return False
    return name.partition("_")[0] not in _MACHINERY or "_" not in name


def is_allowed(code):
    """Whether this code, and all code in it, names nothing but what is allowed."""
    pending = [code]
    while pending:
        code = pending.pop()
        for name in code.co_names:
            if name not in _ALLOWED and not _is_own(name):
                return False
        operations = code.co_code[::2]
        if not _BANNED.isdisjoint(operations) or (_IMPORT in operations and not _imports_allowed(code)):
            return False
        for constant in code.co_consts:
            if constant.__class__ is _CODE:
                pending.append(constant)
    return True


def _imports_allowed(code):
    high = 0
    for operation, argument in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        argument |= high
        high = argument << 8 if operation == _EXTENDED else 0
        if operation == _IMPORT and code.co_names[argument] not in _MODULE_NAMES:
            return False
    return True


# Everything that a program that is allowed could reach: builtins, the modules, their classes and functions.
_NAMED = {value for module in _MODULES for name, value in vars(module).items() if name in _ALLOWED}
_CLASSES = {value for value in _NAMED if isinstance(value, type) and not value.__flags__ & 1 << 8}
_REACHED = [vars(place) for place in (builtins, *_MODULES, *_CLASSES)]
_CONTENT = [(names, len(names), list(names.values())) for names in _REACHED]
_FUNCTIONS = _NAMED | {value for kind in _CLASSES for value in vars(kind).values() if type(value) is types.FunctionType}
_OWN_NAMES = [value.__dict__ for value in _FUNCTIONS if type(getattr(value, "__dict__", None)) is dict]
_OWN_NAMES = [names for names in _OWN_NAMES if not names]


def _state():
    return sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold(), len(warnings.filters), len(sys.modules), sys.stdout


_remembered = []


def remember():
    """The interpreter is complete: from now on it should stay as it is."""
    _remembered.append(_state())


def is_clean():
    """Whether the interpreter is as it was, as far as allowed programs could tell."""
    for names, size, values in _CONTENT:
        if len(names) != size or not all(map(is_, names.values(), values)):
            return False
    return not any(_OWN_NAMES) and _remembered == [_state()]
