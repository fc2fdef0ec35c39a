"""Native CPython for programs nobody trusts: one locked-down process per program, forked from this one.

Imports what programs use, then shuts itself in (isolation.py), so that from the first request on neither this process nor
its children see the host. Requests come as lines of JSON, each after the answer to the one before. For each a child is
made that reads it, makes a child of its own that runs the program under limits and dies, watches that, and answers. So no
program finds another's request or value in memory. Knows nothing of who asks. Arguments: the folder of runner.py.
"""

import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import time

IMPORTED = """abc array bisect calendar cmath collections contextlib copy dataclasses datetime decimal enum fractions
functools hashlib heapq itertools json math numbers operator random re statistics string struct textwrap time typing
unicodedata""".split()

# Between two looks at a child that is silent.
LOOK_SECONDS = 0.05
# A child that gets no processor at all for so long waits for something that never comes.
IDLE_SECONDS = 2.0
# How a watcher ends.
FAILED, NO_MORE = 1, 2
# So much slower than its processor time a program may be on a crowded machine.
MOST_CROWDED, LONGEST_WAIT_SECONDS = 20, 30.0

PARTS = {
    "value": ("kind", "value", "output"),
    "exception": ("kind", "name", "message", "where", "line", "output"),
    "limit": ("kind", "limit"),
}


def main():
    sys.path.insert(0, sys.argv[1])
    sys.path.insert(0, os.path.join(sys.argv[1], "native"))
    import isolation
    import runner
    import seccomp

    own = {sys.argv[1], os.path.join(sys.argv[1], "native"), os.path.dirname(os.path.abspath(__file__))}
    sys.path[:] = [path for path in sys.path if path not in own and os.path.normpath(path) not in own]
    for name in IMPORTED:
        importlib.import_module(name)
    null = os.open(os.devnull, os.O_RDWR)
    base = memory_bytes()
    try:
        isolation.shut_in()
        seccomp.filter_for_this_machine()
    except isolation.Refused as refused:
        print(refused, file=sys.stderr)
        sys.exit(3)
    # What Python needed to find itself is nobody's business.
    os.environ.clear()
    gc.collect()
    gc.freeze()
    say({"kind": "ready"})
    while serve_one(runner, seccomp, base, null):
        pass


def serve_one(runner, seccomp, base, null):
    """False where no more requests come."""
    select.select([0], [], [])
    watcher = os.fork()
    if watcher == 0:
        code = FAILED
        try:
            line = read_line()
            if line:
                say(answer(json.loads(line), runner, seccomp, base, null))
            code = 0 if line else NO_MORE
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(watcher, 0)[1])
    if code not in (0, NO_MORE):
        # Takes along whatever is left.
        sys.exit("the watcher of a program failed")
    return code == 0


def read_line():
    """Up to its end, after which nothing has come yet."""
    pieces = []
    while not pieces or not pieces[-1].endswith(b"\n"):
        piece = os.read(0, 1 << 16)
        if not piece:
            return b""
        pieces.append(piece)
    return b"".join(pieces)


def say(answer):
    data = json.dumps(answer).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


def memory_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def answer(request, runner, seccomp, base, null):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        run_child(request, runner, seccomp, base, writer, null)
    os.close(writer)
    try:
        data, limit = watch(child, reader, request)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if limit == "starved":
        return {"kind": "starved"}
    if limit is not None:
        return {"kind": "limit", "limit": limit}
    return read_answer(data, status)


def read_answer(data, status):
    """What a child says is a program's word: a value, an exception, or that it was too much; nothing about this server."""
    try:
        told = json.loads(data, parse_float=refuse, parse_constant=refuse)
        answer = {name: told[name] for name in PARTS[told["kind"]]}
        if "limit" not in answer or answer["limit"] in ("memory", "output"):
            json.dumps(answer)
            return answer
    except Exception:
        pass
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return {"kind": "limit", "limit": "time"}
    message = "the program ended its interpreter"
    if os.WIFSIGNALED(status):
        message += f" by signal {os.WTERMSIG(status)}"
    return {"kind": "exception", "name": "InterpreterEnded", "message": message, "where": "program", "line": None, "output": ""}


def refuse(text):
    raise ValueError(f"expected no number like {text}")


def watch(child, reader, request):
    """All that the child says, or the limit that it passed."""
    # Each byte may be written as six, in the output and in the value.
    pieces, left = [], 16 * request["outputBytes"] + 65536
    began = moved = time.monotonic()
    used_before = -1.0
    allowed = request["timeMs"] / 1000
    while True:
        is_readable = select.select([reader], [], [], LOOK_SECONDS)[0]
        if is_readable:
            piece = os.read(reader, 1 << 16)
            if not piece:
                return b"".join(pieces), None
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                return b"", "output"
        now, used = time.monotonic(), processor_seconds(child)
        if used > allowed:
            return b"", "time"
        if used > used_before:
            used_before, moved = used, now
        elif now - moved > max(IDLE_SECONDS, allowed):
            return b"", "time"
        if now - began > LONGEST_WAIT_SECONDS + MOST_CROWDED * allowed:
            return b"", "starved"


def processor_seconds(process):
    """What it has had so far; the clock of a process is named by its number."""
    try:
        return time.clock_gettime((~process << 3) | 2)
    except OSError:
        return 0.0


def run_child(request, runner, seccomp, base, writer, null):
    try:
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.dup2(writer, 3)
        os.closerange(4, 1024)
        seconds = request["timeMs"] // 1000 + 2
        limits = (
            (resource.RLIMIT_AS, base + request["memoryBytes"]),
            (resource.RLIMIT_CPU, seconds),
            (resource.RLIMIT_NPROC, 0),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 64),
        )
        for kind, most in limits:
            resource.setrlimit(kind, (most, most))
        set_environment(request, runner)
        seccomp.install()
        data = runner.answer_text(runner.run(request)).encode()
        while data:
            data = data[os.write(3, data) :]
    finally:
        os._exit(0)


def set_environment(request, runner):
    """Clock and chance as the seed says, where Python code asks for them; C code still sees the host's."""
    import random

    runner.seed_environment(request["seed"])
    source = random.Random(request["seed"] + 1)
    os.urandom = random._urandom = source.randbytes
    ticks = [request["startSeconds"] * 10**9]

    def look():
        ticks[0] += 1000
        return ticks[0]

    def sleep(seconds):
        ticks[0] += int(seconds * 10**9)

    for name in ("time", "monotonic", "perf_counter", "process_time"):
        setattr(time, name, lambda: look() / 10**9)
        setattr(time, f"{name}_ns", look)
    time.sleep = sleep


main()
