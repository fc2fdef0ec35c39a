"""Results that are fetched later: every request that computes is answered with the name of a future.

A result stays for a while after it was made, so that a client whose connection broke may ask again. Only the
event loop touches this; other threads hand outcomes over with `call_soon_threadsafe`.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..errors import Failure
from ..wire.results import Result


class TooManyWaitingError(Exception):
    """More requests wait than the worker takes; the client comes back later."""


class NumberTakenError(Exception):
    """A number that was used comes with another body."""


@dataclass
class Future:
    """A promise, and its outcome once there is one."""

    request_id: str
    model_id: str | None = None
    key: Hashable = None
    digest: bytes = b""
    fields: dict[str, object] = field(default_factory=dict[str, object])
    """What the answer to the submission says besides the id."""
    outcome: Result | Failure | None = None
    finished_at: float = 0.0
    is_done: asyncio.Event = field(default_factory=asyncio.Event)
    cancel: Callable[[], None] = field(default=lambda: None)


class FutureStore:
    """All futures by id, and by the number under which they were submitted."""

    def __init__(self, *, waiting_limit: int, lifetime_s: float) -> None:
        self._waiting_limit = waiting_limit
        self._lifetime_s = lifetime_s
        self._futures: dict[str, Future] = {}
        self._by_key: dict[Hashable, str] = {}
        self._waiting_count = 0
        self._purged_at = 0.0

    @property
    def waiting_count(self) -> int:
        """How many have no outcome yet."""
        return self._waiting_count

    def find_repeat(self, key: Hashable, digest: bytes) -> Future | None:
        """The future of an equal submission before.

        Raises:
            NumberTakenError: where the number is the same and the body is not.
        """
        request_id = self._by_key.get(key)
        found = None if request_id is None else self._futures.get(request_id)
        if found is None:
            return None
        if found.digest != digest:
            raise NumberTakenError
        return found

    def create(self, *, model_id: str | None, key: Hashable = None, digest: bytes = b"") -> Future:
        """A new future.

        Raises:
            TooManyWaitingError: where the queue is full.
        """
        self.purge()
        if self._waiting_count >= self._waiting_limit:
            raise TooManyWaitingError
        future = Future(request_id=uuid.uuid4().hex, model_id=model_id, key=key, digest=digest)
        self._futures[future.request_id] = future
        if key is not None:
            self._by_key[key] = future.request_id
        self._waiting_count += 1
        return future

    @contextmanager
    def place(self) -> Generator[None]:
        """A place in the queue for a request that waits for its own answer, while it is open.

        Raises:
            TooManyWaitingError: where the queue is full.
        """
        if self._waiting_count >= self._waiting_limit:
            raise TooManyWaitingError
        self._waiting_count += 1
        try:
            yield
        finally:
            self._waiting_count -= 1

    def settle(self, future: Future, outcome: Result | Failure) -> None:
        """Gives a future its outcome; a second one is ignored."""
        if future.outcome is not None:
            return
        future.outcome = outcome
        future.finished_at = time.monotonic()
        self._waiting_count -= 1
        future.is_done.set()

    def get(self, request_id: str) -> Future | None:
        """The future, None where there is none or it is too old."""
        return self._futures.get(request_id)

    async def wait(self, future: Future, timeout_s: float) -> Result | Failure | None:
        """The outcome, or None when it takes longer."""
        try:
            await asyncio.wait_for(future.is_done.wait(), timeout_s)
        except TimeoutError:
            return None
        return future.outcome

    def purge(self) -> None:
        """Forgets results that are too old; looks at most once per second."""
        now = time.monotonic()
        if now - self._purged_at < 1:
            return
        self._purged_at = now
        limit = now - self._lifetime_s
        old = [f for f in self._futures.values() if f.outcome is not None and f.finished_at < limit]
        for future in old:
            del self._futures[future.request_id]
            if future.key is not None and self._by_key.get(future.key) == future.request_id:
                del self._by_key[future.key]

    def fail_all(self, failure: Failure) -> None:
        """Ends everything that waits."""
        for future in list(self._futures.values()):
            self.settle(future, failure)
