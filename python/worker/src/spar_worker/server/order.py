"""The order of calls on one model: by their numbers, from 1, without gaps, however they arrive."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import WorkerError


@dataclass
class _Waiting:
    start: Callable[[], None]
    reject: Callable[[WorkerError], None]
    timer: asyncio.TimerHandle


class NumberedQueue:
    """Starts what has the next number, and holds the rest until then, for a limited time."""

    def __init__(self, gap_timeout_s: float) -> None:
        self._gap_timeout_s = gap_timeout_s
        self._next = 1
        self._waiting: dict[int, _Waiting] = {}

    def submit(
        self, number: int | None, start: Callable[[], None], reject: Callable[[WorkerError], None]
    ) -> None:
        """Starts in turn; without a number, at once. `reject` is told of a number that never has its turn."""
        if number is None:
            start()
            return
        if number < self._next or number in self._waiting:
            reject(
                WorkerError(
                    "number-taken",
                    f"expected a sequence number of at least {self._next} that was not used, got {number}",
                )
            )
            return
        if number > self._next:
            timer = asyncio.get_running_loop().call_later(self._gap_timeout_s, self._give_up, number, reject)
            self._waiting[number] = _Waiting(start, reject, timer)
            return
        self._next += 1
        start()
        while (waiting := self._waiting.pop(self._next, None)) is not None:
            waiting.timer.cancel()
            self._next += 1
            waiting.start()

    def close(self) -> None:
        """What waits is told that the model is gone."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        for one in waiting:
            one.timer.cancel()
            one.reject(
                WorkerError("model-released", "the model was released while the request waited for its turn")
            )

    def _give_up(self, number: int, reject: Callable[[WorkerError], None]) -> None:
        if self._waiting.pop(number, None) is not None:
            reject(
                WorkerError(
                    "number-missing",
                    f"request {number} waited {self._gap_timeout_s} s for {self._next}, which never came",
                    category="server",
                    hint="numbers must be used without gaps: load the last checkpoint into a new model",
                )
            )
