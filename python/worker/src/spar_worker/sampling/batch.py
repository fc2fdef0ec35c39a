"""A running batch of one version: prompts are prefilled, rows join, grow by a token per step, and leave."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers.cache_utils import Cache

from ..models.network import Network
from ..models.versions import Version
from .cache import append_rows, new_cache, select_rows
from .draw import draw
from .prompt_scores import most_likely, score_prompt
from .requests import SampledSequence, Ticket, TopTokens


class RunningBatch:
    """The sequences of one version that are being sampled, and their cache."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.sequences: list[SampledSequence] = []
        self._cache: Cache = new_cache()
        self._padding: list[int] = []
        self._length = 0

    def join(self, network: Network, tickets: Sequence[Ticket]) -> None:
        """Prefills the prompts of tickets, each different one once, and draws the first tokens."""
        prompts: dict[bytes, list[Ticket]] = {}
        for ticket in tickets:
            prompts.setdefault(ticket.request.prompt.tobytes(), []).append(ticket)
        groups = list(prompts.values())
        length = max(len(group[0].request.prompt) for group in groups)
        padding = [length - len(group[0].request.prompt) for group in groups]
        ids = np.zeros((len(groups), length), dtype=np.int64)
        for index, group in enumerate(groups):
            ids[index, padding[index] :] = group[0].request.prompt
        is_scored = any(ticket.request.reads_prompt for ticket in tickets)
        cache = new_cache()
        device = network.device
        output = network(
            torch.from_numpy(ids).to(device),
            attention_mask=_mask(padding, length, device),
            position_ids=_positions(padding, length, device),
            cache=cache,
            last_only=not is_scored,
        )
        rows: list[int] = []
        joining: list[SampledSequence] = []
        for index, group in enumerate(groups):
            for ticket in group:
                if ticket.request.reads_prompt:
                    score_prompt(ticket, network, output.states[index, padding[index] :])
                growing = [sequence for sequence in ticket.sequences if sequence.max_tokens > 0]
                joining += growing
                rows += [index] * len(growing)
        if not joining:
            return
        select_rows(cache, rows)
        logits = network.logits(output.states[:, -1])
        self._draw(joining, logits[torch.tensor(rows, device=device)])
        self._merge(joining, cache, [padding[row] for row in rows], length)
        self._drop_finished()

    def step(self, network: Network) -> None:
        """Draws one more token for every sequence."""
        device = network.device
        last = [[sequence.token_ids[-1]] for sequence in self.sequences]
        positions = [[self._length - padding] for padding in self._padding]
        output = network(
            torch.tensor(last, device=device),
            attention_mask=_mask(self._padding, self._length + 1, device),
            position_ids=torch.tensor(positions, device=device),
            cache=self._cache,
        )
        self._length += 1
        self._draw(self.sequences, network.logits(output.states[:, -1]))
        self._drop_finished()

    def drop(self, ticket: Ticket) -> None:
        """Takes the sequences of a ticket out."""
        self._keep([i for i, sequence in enumerate(self.sequences) if sequence.ticket is not ticket])

    def _draw(self, sequences: Sequence[SampledSequence], logits: Tensor) -> None:
        tokens, logprobs = draw(
            logits,
            [sequence.ticket.request.draw for sequence in sequences],
            [sequence.random for sequence in sequences],
        )
        tops = _top_tokens(logits, [sequence.ticket.request.sample_topk for sequence in sequences])
        for sequence, token, logprob, top in zip(sequences, tokens, logprobs, tops, strict=True):
            sequence.take(token, logprob, top)

    def _merge(
        self, joining: Sequence[SampledSequence], cache: Cache, padding: Sequence[int], length: int
    ) -> None:
        if not self.sequences:
            self._cache, self._length = cache, length
            self._padding = list(padding)
        else:
            append_rows(self._cache, cache)
            longest = max(self._length, length)
            self._padding = [p + longest - self._length for p in self._padding] + [
                p + longest - length for p in padding
            ]
            self._length = longest
        self.sequences = [*self.sequences, *joining]

    def _drop_finished(self) -> None:
        self._keep([i for i, sequence in enumerate(self.sequences) if sequence.finish_reason is None])

    def _keep(self, rows: list[int]) -> None:
        if len(rows) == len(self.sequences):
            return
        self.sequences = [self.sequences[row] for row in rows]
        if not rows:
            self._cache, self._padding, self._length = new_cache(), [], 0
            return
        self._padding = [self._padding[row] for row in rows]
        first = min(self._padding)
        select_rows(self._cache, rows, first_column=first)
        self._padding = [padding - first for padding in self._padding]
        self._length -= first


def _top_tokens(logits: Tensor, counts: Sequence[int]) -> Sequence[TopTokens | None]:
    """The most likely tokens of each row, where some are asked for."""
    width = min(max(counts), logits.shape[-1])
    if width == 0:
        return [None] * len(counts)
    all_ids, all_values = most_likely(logits, width)
    return [
        (all_ids[row, :count].copy(), all_values[row, :count].copy()) if count > 0 else None
        for row, count in enumerate(counts)
    ]


def _mask(padding: Sequence[int], length: int, device: torch.device) -> Tensor | None:
    if not any(padding):
        return None
    columns = torch.arange(length, device=device)
    return (columns >= torch.tensor(list(padding), device=device).unsqueeze(-1)).long()


def _positions(padding: Sequence[int], length: int, device: torch.device) -> Tensor:
    columns = torch.arange(length, device=device)
    return (columns - torch.tensor(list(padding), device=device).unsqueeze(-1)).clamp(min=0)
