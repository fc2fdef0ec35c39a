"""The sampler: requests wait in their order, join the batch of their version, and leave when they are done.

Anybody may submit or cancel; everything else happens on the computing thread, a step at a time.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

import numpy as np
import torch

from ..errors import WorkerError
from ..models.versions import Version, Views
from ..wire.results import SampleOutput, SequenceOutput, TopkOutput, no_logprob
from .batch import RunningBatch
from .requests import SampledSequence, Ticket, check_request, sequences_for


class Sampler:
    """All batches, one per version that is being sampled."""

    def __init__(
        self, views: Views, *, sequence_limit: int, cache_token_limit: int, prefill_token_budget: int
    ) -> None:
        self._views = views
        self._sequence_limit = sequence_limit
        self._cache_token_limit = cache_token_limit
        self._prefill_token_budget = prefill_token_budget
        self._inbox: SimpleQueue[Ticket] = SimpleQueue()
        self._waiting: deque[Ticket] = deque()
        self._running: list[Ticket] = []
        self._batches: deque[RunningBatch] = deque()

    def submit(self, ticket: Ticket) -> None:
        """Queues a request; the computing thread must be woken afterwards."""
        self._inbox.put(ticket)

    def has_work(self) -> bool:
        """True while anything waits or runs."""
        return not self._inbox.empty() or bool(self._waiting or self._batches)

    def step(self) -> None:
        """Takes in what fits, then draws one token for every sequence of one version."""
        while not self._inbox.empty():
            self._waiting.append(self._inbox.get())
        self._drop_cancelled()
        admitted = self._admit()
        if admitted:
            self._join(admitted)
        if self._batches:
            batch = self._batches.popleft()
            if batch.sequences:
                self._guarded(batch, lambda: batch.step(self._views.enter(batch.version)))
            if batch.sequences:
                self._batches.append(batch)
        self._deliver()

    def _admit(self) -> list[Ticket]:
        """The next requests that fit, all of one version, within one prefill."""
        admitted: list[Ticket] = []
        positions = 0
        while self._waiting:
            ticket = self._waiting[0]
            if not self._prepare(ticket):
                self._waiting.popleft()
                continue
            if admitted and ticket.version is not admitted[0].version:
                break
            width = max(len(t.request.prompt) for t in [*admitted, ticket])
            positions = width * (len(admitted) + 1)
            is_first = not admitted and not self._running
            if not is_first and not (
                self._fits([*admitted, ticket]) and (not admitted or positions <= self._prefill_token_budget)
            ):
                break
            admitted.append(self._waiting.popleft())
        return admitted

    def _prepare(self, ticket: Ticket) -> bool:
        """Finds the version of a request and makes its sequences; False where that failed and was told."""
        if ticket.version is not None:
            return True
        try:
            version = ticket.resolve()
            check_request(ticket.request, version.base)
            ticket.sequences = sequences_for(ticket, version.base)
            ticket.version = version
        except Exception as error:
            ticket.on_error(error)
            return False
        return True

    def _fits(self, tickets: list[Ticket]) -> bool:
        sequences = [sequence for t in [*self._running, *tickets] for sequence in t.sequences]
        tokens = sum(len(s.ticket.request.prompt) + s.max_tokens for s in sequences)
        return len(sequences) <= self._sequence_limit and tokens <= self._cache_token_limit

    def _join(self, tickets: list[Ticket]) -> None:
        version = tickets[0].version
        assert version is not None
        self._running += tickets
        batch = self._batch_of(version)
        self._guarded(batch, lambda: batch.join(self._views.enter(version), tickets))

    def _batch_of(self, version: Version) -> RunningBatch:
        for batch in self._batches:
            if batch.version is version:
                return batch
        batch = RunningBatch(version)
        self._batches.append(batch)
        return batch

    def _guarded(self, batch: RunningBatch, work: Callable[[], None]) -> None:
        """Runs a part of a batch; an error ends the requests of this batch alone."""
        try:
            with torch.no_grad():
                work()
        except Exception as error:
            for ticket in [t for t in self._running if t.version is batch.version]:
                self._running.remove(ticket)
                ticket.on_error(error)
            batch.sequences = []
            if batch in self._batches:
                self._batches.remove(batch)

    def _deliver(self) -> None:
        for ticket in [t for t in self._running if _is_done(t)]:
            self._running.remove(ticket)
            ticket.on_result(_output_of(ticket))

    def _drop_cancelled(self) -> None:
        cancelled = [t for t in [*self._waiting, *self._running] if t.is_cancelled.is_set()]
        for ticket in cancelled:
            if ticket in self._running:
                self._running.remove(ticket)
                for batch in [b for b in self._batches if b.version is ticket.version]:
                    self._guarded(batch, partial(batch.drop, ticket))
            else:
                self._waiting.remove(ticket)
            ticket.on_error(WorkerError("aborted", "the request was cancelled"))


def _is_done(ticket: Ticket) -> bool:
    return all(s.finish_reason is not None or s.max_tokens == 0 for s in ticket.sequences)


def _output_of(ticket: Ticket) -> SampleOutput:
    sequences = [
        SequenceOutput(
            s.token_ids,
            np.asarray(s.logprobs, dtype=np.float32),
            s.finish_reason or "length",
            _topk_of(s, ticket.request.sample_topk),
        )
        for s in ticket.sequences
    ]
    prompt = ticket.prompt_logprobs if ticket.request.has_prompt_logprobs else None
    return SampleOutput(sequences, prompt, ticket.prompt_topk, ticket.target_prompt, ticket.prompt_draws)


def _topk_of(sequence: SampledSequence, count: int) -> TopkOutput | None:
    if count == 0:
        return None
    ids = np.zeros((len(sequence.top), count), dtype=np.int64)
    logprobs = np.full((len(sequence.top), count), no_logprob, dtype=np.float32)
    for place, (found_ids, found_logprobs) in enumerate(sequence.top):
        ids[place, : len(found_ids)] = found_ids
        logprobs[place, : len(found_ids)] = found_logprobs
    return ids, logprobs
