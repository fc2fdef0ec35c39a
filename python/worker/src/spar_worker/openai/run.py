"""One request on its way: its prompts are made and handed to the sampler, tokens come back one by one."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from ..compute import ComputeThread, Job
from ..errors import WorkerError
from ..models.versions import Version
from ..sampling.requests import Resolve, SampledSequence, Ticket, read_request
from ..sampling.sampler import Sampler
from .answers import Finish, TokenNote
from .bodies import CompletionBody
from .prompts import read_prompts


@dataclass(frozen=True)
class Started:
    """What is known once the version is there."""

    tokenizer: Any
    end_token_ids: tuple[int, ...]
    prompt_tokens: int
    choice_count: int


@dataclass(frozen=True)
class Token:
    """A token of a choice, and how the choice ended with it."""

    choice: int
    note: TokenNote
    finish: Finish | None


Event = Started | Token | BaseException


class CompletionRun:
    """Runs one request; leaving the context takes what still runs out of the sampler."""

    def __init__(
        self, compute: ComputeThread, sampler: Sampler, body: CompletionBody, resolve: Resolve
    ) -> None:
        self._compute = compute
        self._sampler = sampler
        self._body = body
        self._resolve = resolve
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._tickets: list[Ticket] = []
        self._is_left = False

    async def __aenter__(self) -> "CompletionRun":
        self._compute.submit(Job(lambda _: self._start(), on_result=self._tell, on_error=self._tell))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_left = True
        for ticket in self._tickets:
            ticket.is_cancelled.set()
        self._compute.wake()

    async def started(self, timeout_s: float) -> Started:
        """Waits for the version and the prompts."""
        event = await self._next(timeout_s)
        assert isinstance(event, Started)
        return event

    async def tokens(self, choice_count: int, timeout_s: float) -> AsyncGenerator[Token]:
        """All tokens of all choices, as they come."""
        open_count = choice_count
        while open_count > 0:
            event = await self._next(timeout_s)
            assert isinstance(event, Token)
            if event.finish is not None:
                open_count -= 1
            yield event

    async def _next(self, timeout_s: float) -> Started | Token:
        try:
            event = await asyncio.wait_for(self._events.get(), timeout_s)
        except TimeoutError as error:
            raise WorkerError(
                "deadline-exceeded",
                f"expected an answer within {timeout_s:.0f} s, got none",
                category="server",
                hint="ask for fewer tokens, or again when less is going on",
            ) from error
        if isinstance(event, BaseException):
            raise event
        return event

    def _start(self) -> Started:
        version: Version = self._resolve()
        base = version.base
        prompts = read_prompts(base, self._body)
        sample = self._body.sample(base.end_token_ids)
        for place, prompt in enumerate(prompts):
            # Equal prompts with one seed are different questions.
            own = sample.model_copy(deep=True)
            if place > 0 and own.sampling_params.seed is not None:
                own.sampling_params.seed += place
            ticket = Ticket(
                request=read_request(own, prompt),
                resolve=lambda: version,
                on_result=lambda _: None,
                on_error=self._tell,
                on_token=lambda sequence, place=place: self._take(place, sequence),
            )
            self._tickets.append(ticket)
        if not self._is_left:
            for ticket in self._tickets:
                self._sampler.submit(ticket)
        return Started(
            tokenizer=base.tokenizer,
            end_token_ids=base.end_token_ids,
            prompt_tokens=sum(len(prompt) for prompt in prompts),
            choice_count=len(prompts) * self._body.n,
        )

    def _take(self, place: int, sequence: SampledSequence) -> None:
        note = TokenNote(
            sequence.token_ids[-1], sequence.logprobs[-1], sequence.top[-1] if sequence.top else None
        )
        self._tell(Token(place * self._body.n + sequence.index, note, sequence.finish_reason))

    def _tell(self, event: Event) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
