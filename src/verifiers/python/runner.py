"""Executes one request inside an interpreter and says what became of it, in both backends.

A request and its answer are JSON. Whatever happens in here is the program's doing: limits of time and memory and
failures of the sandbox are told by whoever runs this interpreter, never by this file. A program can reach all of it
and lie, but only about its own value. Knows no backend.
"""

import io
import json
import random
import sys

from queries import QUERY, compile_query
from values import Encoder, OutputLimit, size_of, type_name

PROGRAM = "<program>"
LONGEST_MESSAGE = 500

# Held here: a program may replace them where it finds them.
_type, _len, _isinstance, _str, _range = type, len, isinstance, str, range
_dumps, _compile, _exec, _plain = json.dumps, compile, exec, str.__str__


class TextOutput(io.TextIOBase):
    """Keeps what is printed, up to a number of bytes."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, most):
        self.pieces, self.left, self.is_over = [], most, False
        self.buffer = ByteOutput(self)

    def writable(self):
        return True

    def write(self, text):
        if not _isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {_type(text).__name__}")
        text = _plain(text)
        self.left -= size_of(text)
        if self.left < 0:
            self.is_over = True
            raise OutputLimit
        self.pieces.append(text)
        return _len(text)


class ByteOutput(io.RawIOBase):
    def __init__(self, text):
        self.text = text

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        self.text.write(data.decode("utf-8", "backslashreplace"))
        return _len(data)


def seed_environment(seed):
    """Chance and clock; the hash seed was chosen when the interpreter started."""
    random.seed(seed)


def compile_program(request):
    return _compile(request["program"], PROGRAM, "exec", dont_inherit=True)


def run(request, program=None, query=None, names=None):
    """The answer to a request: a value, an exception, or that the output was too much.

    `program` and an expression's `query` are code where they were compiled before.
    """
    output = TextOutput(request["outputBytes"])
    # So that addresses differ between environments.
    shift = [object() for _ in _range(request["seed"] % 61)]
    names = {} if names is None else names
    names.update(__name__="__program__", __builtins__=__builtins__)
    before = sys.stdout, sys.stderr, sys.stdin
    sys.stdout, sys.stderr, sys.stdin = output, output, io.StringIO()
    stage = ["query"]
    try:
        value = _outcome(request, program, query, names, stage)
        answer = {"kind": "value", "value": Encoder(request["outputBytes"]).encode(value)}
    except OutputLimit:
        answer = {"kind": "limit", "limit": "output"}
    except MemoryError:
        names.clear()
        answer = {"kind": "limit", "limit": "memory"}
    except BaseException as exception:
        answer = describe(exception, stage[0])
    finally:
        sys.stdout, sys.stderr, sys.stdin = before
    del shift
    if output.is_over:
        return {"kind": "limit", "limit": "output"}
    if answer["kind"] != "limit":
        answer["output"] = "".join(output.pieces)
    return answer


def _outcome(request, program, query, names, stage):
    query = compile_query(request, query)
    stage[0] = "program"
    _exec(compile_program(request) if program is None else program, names)
    stage[0] = "query"
    return query(names)


def describe(exception, stage):
    """Type, message and line: of the last frame that is the program's or the query's."""
    where, line, message = stage, None, ""
    try:
        trace = exception.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if file in (PROGRAM, QUERY):
                where, line = ("program" if file == PROGRAM else "query"), trace.tb_lineno
            trace = trace.tb_next
        is_syntax = _isinstance(exception, SyntaxError)
        if is_syntax and line is None and _type(exception.lineno) is int:
            line = exception.lineno
        message = _str(exception.msg if is_syntax else exception)[:LONGEST_MESSAGE]
    except BaseException:
        pass
    return {"kind": "exception", "name": type_name(_type(exception)), "message": message, "where": where, "line": line}


def answer_text(answer):
    return _dumps(answer, separators=(",", ":"))
