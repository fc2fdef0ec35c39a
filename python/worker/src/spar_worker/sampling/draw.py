"""Drawing of tokens: greedy, or by one uniform number per row, so that company in a batch changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor


@dataclass(frozen=True)
class DrawSettings:
    """How one row is drawn."""

    temperature: float = 1.0
    """0: the most likely token, ties to the lower id."""
    top_k: int = 0
    """Only the k most likely; 0 means all."""
    top_p: float = 1.0
    """Of these the smallest set with at least this probability."""


def draw(
    logits: Tensor, settings: Sequence[DrawSettings], uniforms: Sequence[float]
) -> tuple[list[int], list[float]]:
    """A token per row of logits [B, V], and its log-probability at temperature 1 without any cut.

    Returns:
        Token ids and log-probabilities.
    """
    logits = logits.float()
    device = logits.device
    temperatures = torch.tensor([s.temperature for s in settings], device=device)
    is_greedy = temperatures == 0
    scaled = logits / torch.where(is_greedy, 1.0, temperatures).unsqueeze(-1)
    cut = [index for index, s in enumerate(settings) if s.temperature > 0 and (s.top_k > 0 or s.top_p < 1)]
    if cut:
        places = torch.tensor(cut, device=device)
        scaled[places] = _cut(scaled[places], [settings[index] for index in cut])
    mass = torch.softmax(scaled, dim=-1, dtype=torch.float32).cumsum(dim=-1, dtype=torch.float64)
    threshold = torch.tensor(list(uniforms), dtype=torch.float64, device=device).unsqueeze(-1) * mass[:, -1:]
    drawn = torch.searchsorted(mass, threshold, right=True).squeeze(-1)
    # Rounding may push a threshold to the very end, behind the last token that has a probability.
    last = torch.searchsorted(mass, mass[:, -1:].contiguous(), right=False).squeeze(-1)
    tokens = torch.where(is_greedy, logits.argmax(dim=-1), torch.minimum(drawn, last))
    chosen = logits.gather(-1, tokens.unsqueeze(-1)).squeeze(-1) - logits.logsumexp(dim=-1)
    return cast("list[int]", tokens.tolist()), cast("list[float]", chosen.tolist())


def _cut(scaled: Tensor, settings: Sequence[DrawSettings]) -> Tensor:
    width = scaled.shape[-1]
    values, order = scaled.sort(dim=-1, descending=True, stable=True)
    ranks = torch.arange(width, device=scaled.device)
    top_k = torch.tensor([s.top_k if s.top_k > 0 else width for s in settings], device=scaled.device)
    values = values.masked_fill(ranks >= top_k.unsqueeze(-1), float("-inf"))
    probabilities = torch.softmax(values, dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    top_p = torch.tensor([s.top_p for s in settings], device=scaled.device)
    values = values.masked_fill((before >= top_p.unsqueeze(-1)) & (ranks > 0), float("-inf"))
    return torch.empty_like(scaled).scatter_(-1, order, values)
