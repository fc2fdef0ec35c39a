"""The worker as the HTTP handlers see it: futures, sessions, and work handed to the computing thread."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from ..checkpoints.store import CheckpointStore
from ..compute import ComputeThread, Job
from ..errors import Failure, WorkerError, failure_of
from ..models.registry import Registry
from ..settings import Settings
from ..training.operations import drop_expired_graphs
from ..wire.requests import ModelReference
from ..wire.results import Result
from .futures import Future, FutureStore
from .order import NumberedQueue
from .sessions import ModelRecord, Session, Sessions

logger = logging.getLogger(__name__)

Work = Callable[[Job[Result]], Result]


@dataclass(frozen=True)
class Submission:
    """A request that computes: under which number, with which body."""

    key: Hashable
    body: bytes
    model_id: str | None = None
    number: int | None = None


@dataclass
class Service:
    """Everything that a running worker holds. Methods run on the event loop."""

    settings: Settings
    registry: Registry
    store: CheckpointStore
    compute: ComputeThread
    sessions: Sessions
    futures: FutureStore

    def session(self, session_id: str) -> Session:
        """A session that is alive.

        Raises:
            WorkerError: `session-ended`.
        """
        session = self.sessions.get(session_id)
        if session is None:
            raise WorkerError(
                "session-ended",
                f"expected a session that is alive, got {session_id!r}",
                hint="open a new session and go on from the last checkpoint",
            )
        return session

    def model(self, model_id: str) -> ModelRecord:
        """A model of a session that is alive.

        Raises:
            WorkerError: `model-released`.
        """
        model = self.sessions.model(model_id)
        if model is None:
            raise WorkerError(
                "model-released",
                f"expected a model that is alive, got {model_id!r}",
                hint="its session ended or it was unloaded: go on from the last checkpoint",
            )
        return model

    def session_of_model(self, model_id: str) -> Session:
        """The session that a model belongs to.

        Raises:
            WorkerError: `model-released`.
        """
        self.model(model_id)
        return next(session for session in self.sessions.all() if model_id in session.models)

    def register(self, submission: Submission) -> tuple[Future, bool]:
        """A new future and True, or the one of an equal submission before and False.

        Raises:
            NumberTakenError, TooManyWaitingError
        """
        digest = hashlib.sha256(submission.body).digest()
        if submission.key is not None:
            repeat = self.futures.find_repeat(submission.key, digest)
            if repeat is not None:
                return repeat, False
        return self.futures.create(model_id=submission.model_id, key=submission.key, digest=digest), True

    def submit_numbered(self, body: ModelReference, raw: bytes, work: Work) -> Future:
        """Hands over work on a model, in the order of its numbers."""
        record = self.model(body.model_id)
        key = None if body.seq_id is None else ("model", body.model_id, body.seq_id)
        return self.submit(Submission(key, raw, body.model_id, body.seq_id), work, queue=record.queue)

    def submit(
        self,
        submission: Submission,
        work: Work,
        *,
        queue: NumberedQueue | None = None,
        on_settled: Callable[[Future], None] = lambda _: None,
    ) -> Future:
        """Hands work over, or finds the future of an equal submission before."""
        future, is_new = self.register(submission)
        if not is_new:
            return future
        loop = asyncio.get_running_loop()

        def settle(outcome: Result | Failure) -> None:
            self.futures.settle(future, outcome)
            on_settled(future)

        job: Job[Result] = Job(
            work,
            on_result=lambda result: _hand_over(loop, settle, result),
            on_error=lambda error: _hand_over(loop, settle, failure_of(error)),
        )
        future.cancel = job.cancel
        if queue is None:
            self.compute.submit(job)
        else:
            queue.submit(
                submission.number,
                start=lambda: self.compute.submit(job),
                reject=lambda error: settle(failure_of(error)),
            )
        return future

    def run_later(self, work: Callable[[], None]) -> None:
        """Does something on the computing thread for which nobody waits."""
        self.compute.submit(Job(lambda _: work(), on_result=lambda _: None, on_error=_report))

    def end_session(self, session_id: str) -> bool:
        """Frees what a session held; False where there is none."""
        session = self.sessions.end(session_id)
        if session is None:
            return False
        for model in session.models.values():
            self.release_model(model)
        return True

    def release_model(self, model: ModelRecord) -> None:
        """Frees a model on the computing thread."""
        model.queue.close()
        model_id = model.model_id
        self.run_later(lambda: self.registry.release(model_id))

    def tidy(self) -> None:
        """Ends silent sessions, frees graphs that waited too long, forgets old results."""
        for session_id in self.sessions.silent():
            self.end_session(session_id)
        self.run_later(lambda: drop_expired_graphs(self.registry))
        self.run_later(self.store.purge)
        self.futures.purge()

    def close(self) -> None:
        """Ends everything that waits and stops computing."""
        stopping = WorkerError("engine-closed", "the worker is stopping", category="server")
        self.futures.fail_all(failure_of(stopping))
        self.compute.close()


def _report(error: BaseException) -> None:
    if not (isinstance(error, WorkerError) and error.code == "aborted"):
        logger.error("work for which nobody waits failed", exc_info=error)


def _hand_over(
    loop: asyncio.AbstractEventLoop, settle: Callable[[Result | Failure], None], outcome: Result | Failure
) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(settle, outcome)
