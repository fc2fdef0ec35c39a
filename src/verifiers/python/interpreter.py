"""What the interpreter in WebAssembly is asked, one request after another: bytes of JSON in, bytes of JSON out.

A request says which way it may go. `warm`: in this interpreter as others left it, where the allow-list lets it; else the
answer is `unfit`, `harmed` where something was left behind, and `moving` where an address came out, which is another one each
time. `clean`: whatever it is; the memory of the interpreter is
put back to its image before and afterwards, by the host. Knows nothing of the host.
"""

import gc
import json

import allow_list
import runner

MOST_REMEMBERED = 512
_NOTHING = compile("None", runner.QUERY, "eval")
_loads = json.loads
_known = {}


def handle(data):
    request = _loads(data)
    runner.seed_environment(request["seed"])
    if request["way"] == "clean":
        return runner.answer_text(runner.run(request)).encode()
    text = runner.answer_text(_warm(request))
    return b'{"kind":"moving"}' if " at 0x" in text else text.encode()


def _warm(request):
    program, query = _remembered(request["program"]), _query(request["query"])
    if program is None or query is None:
        return {"kind": "unfit"}
    names = {}
    answer = runner.run(request, program, query, names)
    # What a program leaves to the collector is collected while it is still the one that pays for it.
    names.clear()
    gc.collect()
    return answer if allow_list.is_clean() else {"kind": "harmed"}


def _remembered(text):
    """The program's code, or None where it has to go the other way; so do programs that do not compile."""
    known = _known.get(text, _known)
    if known is not _known:
        return known
    code = _compiled(text, runner.PROGRAM, "exec")
    if len(_known) >= MOST_REMEMBERED:
        _known.clear()
    _known[text] = code
    return code


def _compiled(text, file, mode):
    try:
        code = compile(text, file, mode, dont_inherit=True)
    except Exception:
        return None
    return code if allow_list.is_allowed(code) else None


def _query(query):
    """An expression's code; None where the query is not allowed."""
    if isinstance(query, str):
        return _compiled(query.strip(), runner.QUERY, "eval")
    if query is None:
        return _NOTHING
    call, arguments = query["call"], query["arguments"]
    is_allowed = not call.startswith("_") and _compiled(f"({arguments}\n,)", runner.QUERY, "eval") is not None
    return _NOTHING if is_allowed else None
