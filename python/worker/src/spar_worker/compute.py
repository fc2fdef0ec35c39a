"""The one thread that computes. Jobs run in the order in which they came; sampling goes on between them.

Everything that touches tensors runs here, so nothing below needs a lock. Callers are told through callbacks,
which run on this thread: they must only hand the outcome on.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from .errors import WorkerError, is_out_of_memory
from .memory import return_memory

T = TypeVar("T")

logger = logging.getLogger(__name__)

sampling_share_s = 0.05
"""How long sampling may go on while a job waits."""


class Sampling(Protocol):
    """What goes on in small steps between jobs."""

    def has_work(self) -> bool:
        """True while a step would do something."""
        ...

    def step(self) -> None:
        """Does a little, and never raises."""
        ...


class Job(Generic[T]):
    """Work with an outcome. `check_cancelled` is called by the work itself, between its parts."""

    def __init__(
        self,
        work: "Callable[[Job[T]], T]",
        on_result: Callable[[T], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._work = work
        self._on_result = on_result
        self._on_error = on_error
        self._is_cancelled = threading.Event()

    def cancel(self) -> None:
        """Asks the work to stop; it changes nothing then."""
        self._is_cancelled.set()

    def check_cancelled(self) -> None:
        """Raises `aborted` once somebody asked for it."""
        if self._is_cancelled.is_set():
            raise WorkerError("aborted", "the request was cancelled")

    def run(self) -> None:
        """Does the work and tells the outcome."""
        has_run_out = False
        try:
            self.check_cancelled()
            result = self._work(self)
        except BaseException as exception:
            has_run_out = is_out_of_memory(exception)
            self._on_error(exception)
        else:
            self._on_result(result)
        if has_run_out:
            return_memory()


class ComputeThread:
    """Runs jobs and sampling until it is closed."""

    def __init__(self, sampling: Sampling | None = None) -> None:
        self._sampling = sampling
        self._jobs: deque[Job[object]] = deque()
        self._condition = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="compute", daemon=True)
        self._thread.start()

    def submit(self, job: "Job[T]") -> None:
        """Queues a job behind those that came before."""
        with self._condition:
            self._jobs.append(job)  # type: ignore[arg-type]
            self._condition.notify()

    def wake(self) -> None:
        """Tells that sampling has work."""
        with self._condition:
            self._condition.notify()

    def close(self, timeout_s: float = 10.0) -> None:
        """Ends after the job at hand; what waits is told that the worker stops."""
        with self._condition:
            self._is_closing = True
            waiting = list(self._jobs)
            self._jobs.clear()
            self._condition.notify()
        for job in waiting:
            job.cancel()
            job.run()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._compute()
        except BaseException:
            # Without this thread nothing would be answered any more, and nobody would be told.
            logger.critical("the computing thread died", exc_info=True)
            os._exit(70)

    def _compute(self) -> None:
        while True:
            with self._condition:
                while not (self._jobs or self._is_closing or self._has_sampling()):
                    self._condition.wait()
                if self._is_closing:
                    return
                job = self._jobs.popleft() if self._jobs else None
            if job is not None:
                job.run()
            del job
            self._sample()

    def _has_sampling(self) -> bool:
        return self._sampling is not None and self._sampling.has_work()

    def _sample(self) -> None:
        if self._sampling is None:
            return
        start = time.monotonic()
        while self._sampling.has_work() and not self._is_closing:
            self._sampling.step()
            if self._jobs and time.monotonic() - start > sampling_share_s:
                return
