"""What goes wrong ends as an error with its traceback; the worker lives on and frees what was held."""

import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plain_client import Client, Json, post, result
from tiny import write_llama
from worker_process import RunningWorker, key, running_worker

mebibyte = 2**20


def live_sessions(url: str) -> list[str]:
    request = urllib.request.Request(f"{url}/api/v1/sessions", headers={"X-API-Key": key})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["sessions"]


def memory(worker: RunningWorker, name: str) -> int:
    """Bytes: `VmRSS`, `VmSize`, ..."""
    text = Path(f"/proc/{worker.process.pid}/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith(name + ":"))
    return int(line.split()[1]) * 1024


def cpu_seconds(worker: RunningWorker) -> float:
    fields = Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def wait_until(is_so: Callable[[], bool], what: str, timeout_s: float = 90.0) -> None:
    end = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end, f"expected {what} within {timeout_s} s"
        time.sleep(0.2)


def rested_memory(worker: RunningWorker) -> int:
    """Once it no longer changes: a session that has ended is freed a moment later."""
    seen = [memory(worker, "VmRSS")]

    def is_at_rest() -> bool:
        time.sleep(0.8)
        seen.append(memory(worker, "VmRSS"))
        return abs(seen[-1] - seen[-2]) < mebibyte

    wait_until(is_at_rest, "memory that rests")
    return seen[-1]


@pytest.fixture(scope="module")
def wide_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve million weights: large enough to be seen in the memory of a process."""
    return write_llama(tmp_path_factory.mktemp("wide"), context_length=8192, width=576, layer_count=4)


@pytest.fixture(scope="module")
def wide(wide_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWorker]:
    broken = tmp_path_factory.mktemp("broken")
    (broken / "config.json").write_text('{"model_type": "llama"}')
    options = ["--model", f"broken={broken}", "--token-budget", "1000000", "--session-timeout-s", "12"]
    with running_worker(wide_folder, tmp_path_factory.mktemp("state"), *options) as running:
        yield running


@pytest.mark.skipif(sys.platform != "linux", reason="limits and memory of another process are Linux's")
def test_memory_that_runs_out_ends_one_call_and_comes_back(wide: RunningWorker) -> None:
    client = Client(wide.url)
    assert "metrics" in client.train(1, 16)
    assert "metrics" in client.step()
    before = memory(wide, "VmRSS")
    limit = memory(wide, "VmSize") + 400 * mebibyte
    resource.prlimit(wide.process.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        failed = client.train(16, 1024)
    finally:
        resource.prlimit(wide.process.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert failed["code"] == "memory-exhausted"
    assert failed["category"] == "server"
    assert "Traceback" in failed["traceback"]
    assert "--token-budget" in failed["hint"]
    wait_until(lambda: memory(wide, "VmRSS") < before + 60 * mebibyte, "the memory of before")
    refused = client.step()
    assert refused["code"] == "invalid-input", "the pass that failed left no gradient"
    assert "metrics" in client.train(1, 16)
    assert "metrics" in client.step()


def test_models_that_are_not_there_or_cannot_be_read_are_named(wide: RunningWorker) -> None:
    session = post(wide.url, "create_session", {})[1]["session_id"]
    status, absent = post(
        wide.url, "create_model", {"session_id": session, "model_seq_id": 0, "base_model": "absent"}
    )
    assert (status, absent["code"], absent["category"]) == (404, "model-unknown", "user")
    assert "Traceback" in absent["traceback"]
    unreadable = result(
        wide.url, "create_model", {"session_id": session, "model_seq_id": 1, "base_model": "broken"}
    )
    assert unreadable["code"] == "model-unreadable"
    assert "Traceback" in unreadable["traceback"]
    assert "model_id" in Client(wide.url).made


@pytest.mark.parametrize(
    ("chunk", "code"),
    [
        ({"type": "image", "data": "AAAA", "format": "png"}, "capability-missing"),
        ({"type": "encoded_text", "tokens": [10**6]}, "invalid-input"),
        ({"type": "encoded_text", "tokens": []}, "invalid-input"),
        ({"type": "encoded_text", "tokens": "abc"}, "invalid-input"),
    ],
)
def test_bad_chunks_are_errors_and_the_next_good_one_is_answered(
    wide: RunningWorker, chunk: Json, code: str
) -> None:
    def ask(one: Json) -> Json:
        body = {"base_model": "tiny", "prompt": {"chunks": [one]}, "sampling_params": {"max_tokens": 2}}
        status, answer = post(wide.url, "asample", body)
        if status != 200:
            return answer
        return post(wide.url, "retrieve_future", {"request_id": answer["request_id"]})[1]

    failed = ask(chunk)
    assert (failed["code"], failed["category"]) == (code, "user")
    assert "Traceback" in failed["traceback"]
    assert len(ask({"type": "encoded_text", "tokens": [5, 6]})["sequences"][0]["tokens"]) <= 2


@pytest.mark.skipif(sys.platform != "linux", reason="memory of another process is Linux's")
def test_what_a_killed_client_held_is_freed(wide: RunningWorker) -> None:
    Client(wide.url)  # The base is loaded, and stays.
    wait_until(lambda: not live_sessions(wide.url), "no session of tests before")
    before = rested_memory(wide)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen(
        [sys.executable, "-m", "plain_client", wide.url], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "trained"
        held = memory(wide, "VmRSS")
        assert held > before + 100 * mebibyte, "weights, gradients and moments"
    finally:
        child.kill()
        child.communicate(timeout=10)
    wait_until(lambda: memory(wide, "VmRSS") < before + (held - before) // 4, "most of it back")
    print(
        f"MiB: {before // mebibyte} before, {held // mebibyte} held, {memory(wide, 'VmRSS') // mebibyte} after"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="times of another process are Linux's")
def test_who_hangs_up_stops_what_was_sampled_for_it(wide: RunningWorker) -> None:
    request = urllib.request.Request(
        f"{wide.url}/v1/completions",
        data=json.dumps({"model": "tiny", "prompt": "ab", "max_tokens": 8000, "n": 8, "stream": True}).encode(),
        headers={"Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.readline().startswith(b"data: ")

    def is_idle() -> bool:
        start = cpu_seconds(wide)
        time.sleep(1)
        return cpu_seconds(wide) - start < 0.05

    wait_until(is_idle, "a worker that rests", 30)
