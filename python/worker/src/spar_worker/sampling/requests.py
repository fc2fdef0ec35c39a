"""What is asked of the sampler, checked, and the sequences that come of it."""

import math
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..errors import WorkerError, invalid_input
from ..models.base import BaseModel
from ..models.versions import Version
from ..rows import FloatArray, IntArray
from ..wire.requests import Sample
from ..wire.results import SampleOutput, TensorOutput
from .draw import DrawSettings, stream
from .prompt_targets import PromptTargets, read_targets

MAX_TOPK = 1000
MAX_SAMPLES = 4096
"""Of one request; it is sampled whole, whatever the limits of a batch."""

Resolve = Callable[[], Version]
"""Finds a version, on the computing thread; that there is one was checked before."""

TopTokens = tuple[IntArray, FloatArray]
"""The most likely tokens of one position, and their log-probabilities."""


@dataclass(frozen=True)
class SampleRequest:
    """A request in the terms of the sampler."""

    prompt: IntArray
    count: int
    draw: DrawSettings
    seed: int
    max_tokens: int | None
    stop_token_ids: frozenset[int] | None
    """None: the end tokens of the model, unless there are stop strings."""
    stop_strings: tuple[str, ...]
    has_prompt_logprobs: bool
    prompt_topk: int
    sample_topk: int
    """So many of the most likely tokens are told with each token that is drawn."""
    scored_last: int | None
    """Only so many prompt tokens at the end are scored."""
    targets: PromptTargets | None = None
    """Ids that are scored at places of the prompt."""
    prompt_draws: int = 0
    """So many tokens are drawn at each place of the prompt."""

    @property
    def reads_prompt(self) -> bool:
        """Whether places of the prompt besides its last are looked at."""
        return self.has_prompt_logprobs or self.targets is not None or self.prompt_draws > 0


def read_request(body: Sample, prompt: IntArray) -> SampleRequest:
    """A body as a request.

    Raises:
        WorkerError: `invalid-input`, with the name of what has no meaning; `capability-missing`.
    """
    given = body.sampling_params
    if body.record_stability_info:
        raise WorkerError(
            "capability-missing",
            "expected no record_stability_info, got it: this server records none",
            hint="leave it out",
        )
    checks: list[tuple[bool, str, object]] = [
        (1 <= body.num_samples <= MAX_SAMPLES, f"num_samples of 1 to {MAX_SAMPLES}", body.num_samples),
        (given.max_tokens is None or given.max_tokens >= 0, "max_tokens of at least 0", given.max_tokens),
        (math.isfinite(given.temperature) and given.temperature >= 0, "temperature >= 0", given.temperature),
        (0 < given.top_p <= 1, "top_p in 0 < x <= 1", given.top_p),
        (given.top_k >= -1, "top_k of at least -1", given.top_k),
        _topk_check("topk_prompt_logprobs", body.topk_prompt_logprobs),
        _topk_check("topk_sample_logprobs", body.topk_sample_logprobs),
        _topk_check("prompt_alt_tokens_k", body.prompt_alt_tokens_k),
    ]
    for is_sound, expected, found in checks:
        if not is_sound:
            raise invalid_input(f"expected {expected}, got {found}")
    last = body.prompt_logprobs_last_n
    if last is not None and not 1 <= last < len(prompt):
        raise invalid_input(f"expected prompt_logprobs_last_n in 1 .. {len(prompt) - 1}, got {last}")
    ids, strings = _stops(body)
    return SampleRequest(
        prompt=prompt,
        count=body.num_samples,
        draw=DrawSettings(given.temperature, max(given.top_k, 0), given.top_p),
        seed=secrets.randbits(63) if given.seed is None else given.seed,
        max_tokens=given.max_tokens,
        stop_token_ids=ids,
        stop_strings=strings,
        has_prompt_logprobs=bool(body.prompt_logprobs) or body.topk_prompt_logprobs > 0,
        prompt_topk=body.topk_prompt_logprobs,
        sample_topk=body.topk_sample_logprobs,
        scored_last=last,
        targets=None
        if body.target_prompt_logprobs is None
        else read_targets(body.target_prompt_logprobs, len(prompt), MAX_TOPK),
        prompt_draws=body.prompt_alt_tokens_k,
    )


def _topk_check(name: str, count: int) -> tuple[bool, str, object]:
    return 0 <= count <= MAX_TOPK, f"{name} in 0 .. {MAX_TOPK}", count


def _stops(body: Sample) -> tuple[frozenset[int] | None, tuple[str, ...]]:
    stop, more = body.sampling_params.stop, body.sampling_params.stop_token_ids
    ids = [entry for entry in stop if isinstance(entry, int)] if isinstance(stop, list) else []
    strings = [stop] if isinstance(stop, str) else [s for s in stop or [] if isinstance(s, str)]
    if any(not text for text in strings):
        raise invalid_input("expected stop strings of at least one character, got an empty one")
    if stop is None and more is None:
        return None, ()
    return frozenset([*ids, *(more or [])]), tuple(strings)


def check_request(request: SampleRequest, base: BaseModel) -> None:
    """Refuses what this model cannot do."""
    size, context = base.vocabulary_size, base.context_length
    count = len(request.prompt)
    if count == 0:
        raise invalid_input("expected a prompt of at least one token, got none")
    if request.prompt.min() < 0 or request.prompt.max() >= size:
        raise invalid_input(f"expected token ids in 0 .. {size - 1} in the prompt, got others")
    if request.targets is not None and request.targets.ids.max() >= size:
        raise invalid_input(f"expected ids in 0 .. {size - 1} in target_prompt_logprobs, got others")
    # The last token that is sampled needs no position of its own.
    if count + max((request.max_tokens or 1) - 1, 0) > context:
        raise invalid_input(
            f"expected prompt and reply in {context} positions, got {count} and {request.max_tokens} tokens",
            "ask for fewer tokens or cut the prompt",
        )
    if request.stop_strings and base.tokenizer is None:
        raise invalid_input("expected a model with a tokenizer for stop strings, got one without")


@dataclass(eq=False)
class Ticket:
    """A request on its way, and who is told."""

    request: SampleRequest
    resolve: Resolve
    on_result: Callable[[SampleOutput], None]
    on_error: Callable[[BaseException], None]
    on_token: "Callable[[SampledSequence], None] | None" = None
    """Told of each token right after it was drawn."""
    is_cancelled: threading.Event = field(default_factory=threading.Event)
    version: Version | None = None
    sequences: "list[SampledSequence]" = field(default_factory=list["SampledSequence"])
    prompt_logprobs: FloatArray | None = None
    prompt_topk: tuple[IntArray, FloatArray] | None = None
    target_prompt: TensorOutput | None = None
    prompt_draws: tuple[TensorOutput, TensorOutput] | None = None


@dataclass(eq=False)
class SampledSequence:
    """One reply as it grows."""

    ticket: Ticket
    index: int
    random: np.random.Generator
    max_tokens: int
    stop_token_ids: frozenset[int]
    tokenizer: Any
    token_ids: list[int] = field(default_factory=list[int])
    logprobs: list[float] = field(default_factory=list[float])
    top: list[TopTokens] = field(default_factory=list[TopTokens])
    finish_reason: Literal["stop", "length"] | None = None

    def take(self, token_id: int, logprob: float, top: TopTokens | None) -> None:
        """Adds a token, and notices where it ends the reply."""
        self.token_ids.append(token_id)
        self.logprobs.append(logprob)
        if top is not None:
            self.top.append(top)
        if token_id in self.stop_token_ids or self._ends_with_stop():
            self.finish_reason = "stop"
        elif len(self.token_ids) >= self.max_tokens:
            self.finish_reason = "length"
        if self.ticket.on_token is not None:
            self.ticket.on_token(self)

    def _ends_with_stop(self) -> bool:
        strings: Sequence[str] = self.ticket.request.stop_strings
        if not strings:
            return False
        # A token gives a character or more, but for pieces of one, which some more tokens make up for.
        window = max(len(text) for text in strings) + 8
        tail = str(self.tokenizer.decode(self.token_ids[-window:], skip_special_tokens=False))
        return any(text in tail for text in strings)


def sequences_for(ticket: Ticket, base: BaseModel) -> list[SampledSequence]:
    """The replies of a ticket; each draws from a stream of its own of the seed."""
    request = ticket.request
    room = base.context_length - len(request.prompt) + 1
    ends = request.stop_token_ids
    return [
        SampledSequence(
            ticket=ticket,
            index=index,
            random=stream(request.seed, index),
            max_tokens=room if request.max_tokens is None else min(request.max_tokens, room),
            stop_token_ids=frozenset(base.end_token_ids) if ends is None else ends,
            tokenizer=base.tokenizer if request.stop_strings else None,
        )
        for index in range(request.count)
    ]
