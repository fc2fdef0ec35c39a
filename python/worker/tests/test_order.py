"""Numbers, futures and the computing thread: order, repeats, deadlines, ends."""

import asyncio
import threading
from pathlib import Path

import pytest

from spar_worker.compute import ComputeThread, Job
from spar_worker.errors import WorkerError, failure_of
from spar_worker.server.futures import FutureStore, NumberTakenError, TooManyWaitingError
from spar_worker.server.order import NumberedQueue
from spar_worker.wire.results import JsonResult


def test_numbers_are_done_in_their_order_however_they_arrive() -> None:
    async def run() -> list[int]:
        done: list[int] = []
        queue = NumberedQueue(gap_timeout_s=10)
        for number in (3, 2, 4, 1, 5):
            queue.submit(number, start=lambda n=number: done.append(n), reject=lambda _: done.append(-1))
        return done

    assert asyncio.run(run()) == [1, 2, 3, 4, 5]


def test_a_number_whose_predecessor_never_comes_is_given_up_in_time() -> None:
    async def run() -> list[str]:
        told: list[str] = []
        queue = NumberedQueue(gap_timeout_s=0.01)
        queue.submit(2, start=lambda: told.append("started"), reject=lambda error: told.append(error.code))
        await asyncio.sleep(0.05)
        queue.submit(1, start=lambda: told.append("first"), reject=lambda error: told.append(error.code))
        queue.submit(1, start=lambda: told.append("again"), reject=lambda error: told.append(error.code))
        return told

    assert asyncio.run(run()) == ["number-missing", "first", "number-taken"]


def test_what_waits_for_its_number_is_told_when_the_model_goes() -> None:
    async def run() -> list[str]:
        told: list[str] = []
        queue = NumberedQueue(gap_timeout_s=10)
        for number in (2, 3):
            queue.submit(number, start=lambda: told.append("started"), reject=lambda e: told.append(e.code))
        queue.close()
        return told

    assert asyncio.run(run()) == ["model-released", "model-released"]


def test_repeats_find_their_future_and_other_bodies_are_refused() -> None:
    async def run() -> None:
        store = FutureStore(waiting_limit=2, lifetime_s=60)
        one = store.create(model_id="m", key=("m", 1), digest=b"a")
        assert store.find_repeat(("m", 1), b"a") is one
        assert store.find_repeat(("m", 2), b"a") is None
        with pytest.raises(NumberTakenError):
            store.find_repeat(("m", 1), b"b")
        store.create(model_id="m")
        with pytest.raises(TooManyWaitingError):
            store.create(model_id="m")
        assert await store.wait(one, 0.001) is None
        store.settle(one, JsonResult({"x": 1}))
        store.settle(one, JsonResult({"x": 2}))
        assert await store.wait(one, 1) == JsonResult({"x": 1})
        store.create(model_id="m")

    asyncio.run(run())


def test_results_are_forgotten_when_they_are_old() -> None:
    async def run() -> None:
        store = FutureStore(waiting_limit=2, lifetime_s=-1)
        future = store.create(model_id="m", key="k")
        store.settle(future, JsonResult({}))
        store._purged_at = -10  # pyright: ignore[reportPrivateUsage]
        store.purge()
        assert store.get(future.request_id) is None
        assert store.find_repeat("k", b"") is None

    asyncio.run(run())


def test_jobs_run_in_order_and_a_cancelled_one_changes_nothing() -> None:
    compute = ComputeThread()
    gate, told = threading.Event(), list[str]()
    jobs = [
        Job(
            lambda _, name=name: gate.wait(5) and name,
            lambda r: told.append(str(r)),
            lambda e: told.append(str(e)),
        )
        for name in ("a", "b", "c")
    ]
    for job in jobs:
        compute.submit(job)
    jobs[1].cancel()
    gate.set()
    finished = threading.Event()
    compute.submit(Job(lambda _: finished.set(), lambda _: None, lambda _: None))
    assert finished.wait(5)
    compute.close()
    assert told == ["a", "the request was cancelled", "c"]


def test_failures_carry_code_category_and_traceback(tmp_path: Path) -> None:
    def fail(error: BaseException) -> dict[str, object]:
        try:
            raise error
        except BaseException as caught:
            return failure_of(caught).as_json()

    own = fail(WorkerError("invalid-input", "expected 1, got 2", hint="send 1"))
    assert (own["code"], own["category"], own["error"], own["hint"]) == (
        "invalid-input",
        "user",
        "expected 1, got 2",
        "send 1",
    )
    assert "test_order.py" in str(own["traceback"])
    assert fail(MemoryError())["code"] == "memory-exhausted"
    assert (
        fail(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"))["code"]
        == "memory-exhausted"
    )
    assert fail(OSError(str(tmp_path)))["category"] == "server"
