"""Values as python-value.ts describes them: exact, typed, bounded. Knows no requests."""

import collections
import decimal
import fractions
import json
import math

DEEPEST = 100
SMALL = 2**53

# Held here: a program may replace them where it finds them.
_type, _len, _str, _repr, _hex, _range, _sorted = type, len, str, repr, hex, range, sorted
_dumps, _bytes_hex, _float_repr = json.dumps, bytes.hex, float.__repr__


class OutputLimit(BaseException):
    """More was printed, or a larger value returned, than the request allows."""


def size_of(text):
    """Bytes of a str in UTF-8."""
    return _len(text) if text.isascii() else _len(text.encode("utf-8", "surrogatepass"))


class Encoder:
    """Values as python-value.ts describes them."""

    def __init__(self, most):
        self.left = most
        self.path = []

    def encode(self, value):
        self.left -= 2
        if self.left < 0:
            raise OutputLimit
        kind = _type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            if -SMALL < value < SMALL:
                return value
            return ["int", self.text(_hex(value))]
        if kind is str:
            return self.text(value)
        if kind is float:
            return ["float", _float(value)]
        return self.container(value, kind)

    def text(self, text):
        self.left -= size_of(text)
        if self.left < 0:
            raise OutputLimit
        return text

    def container(self, value, kind):
        scalar = _SCALARS.get(kind)
        if scalar is not None:
            parts = scalar(value)
            self.text("".join(parts))
            return [kind.__name__, *parts]
        write = _WRITERS.get(kind)
        if write is None:
            if value is Ellipsis or value is NotImplemented:
                return [_repr(value)]
            if tuple not in kind.__bases__ or not _is_namedtuple(kind):
                return ["opaque", self.text(type_name(kind))]
            write = _write_namedtuple
        self.left -= 10
        for depth in _range(_len(self.path)):
            if self.path[-1 - depth] is value:
                return ["cycle", depth + 1]
        if _len(self.path) >= DEEPEST:
            return ["opaque", f"value nested deeper than {DEEPEST} levels"]
        self.path.append(value)
        try:
            return write(self, value)
        finally:
            self.path.pop()


def _float(value):
    return "math.nan" if value is math.nan else _float_repr(value)


def _is_namedtuple(kind):
    fields = kind.__dict__.get("_fields")
    return _type(fields) is tuple and "__eq__" not in kind.__dict__


def type_name(kind):
    return _str(_type.__dict__["__name__"].__get__(kind))[:100]


def _write_sequence(name, members):
    def write(encoder, value):
        return [name, *[encoder.encode(member) for member in members(value)]]

    return write


def _write_set(name, members):
    def write(encoder, value):
        written = [encoder.encode(member) for member in members(value)]
        return [name, *_sorted(written, key=_dumps)]

    return write


def _write_mapping(name):
    def write(encoder, value):
        return [name, *[[encoder.encode(key), encoder.encode(dict.__getitem__(value, key))] for key in dict.__iter__(value)]]

    return write


def _write_namedtuple(encoder, value):
    members = [encoder.encode(member) for member in tuple.__iter__(value)]
    return ["namedtuple", encoder.text(type_name(_type(value))), ["tuple", *members]]


_SCALARS = {
    complex: lambda value: [_float(value.real), _float(value.imag)],
    bytes: lambda value: [_bytes_hex(value)],
    bytearray: lambda value: [_bytes_hex(bytes(value))],
    decimal.Decimal: lambda value: [_str(value)],
    fractions.Fraction: lambda value: [f"{value.numerator}/{value.denominator}"],
}

_WRITERS = {
    list: _write_sequence("list", list.__iter__),
    tuple: _write_sequence("tuple", tuple.__iter__),
    collections.deque: _write_sequence("deque", collections.deque.__iter__),
    range: lambda encoder, value: ["range", *[encoder.encode(part) for part in (value.start, value.stop, value.step)]],
    set: _write_set("set", set.__iter__),
    frozenset: _write_set("frozenset", frozenset.__iter__),
    dict: _write_mapping("dict"),
    collections.OrderedDict: _write_mapping("OrderedDict"),
    collections.defaultdict: _write_mapping("defaultdict"),
    collections.Counter: _write_mapping("Counter"),
}
