"""Drawing of tokens: greedy, or by random numbers that each row has for itself, whatever its company.

Company does change logits in their last bits. A token is therefore the largest of its logit plus noise
(Gumbel-max: P(argmax_i l_i - log E_i = t) = softmax(l)_t for exponential E), where a last bit matters only if
the two largest tie. One uniform number against cumulated probabilities has a boundary at every token: drawn
from tens of thousands of near-equal ones it falls so close to a boundary every hundredth time. To need few
random numbers the vocabulary is cut into about sqrt(V) blocks: the block is drawn by its mass, then the token
in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
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


def stream(seed: int, number: int) -> np.random.Generator:
    """Random numbers of their own for each number, 0 to 2^64 - 1, of a seed, taken modulo 2^64."""
    # A list that mixes small and large numbers would become float64, and neighbours one key.
    return np.random.Generator(np.random.Philox(key=np.array([seed % 2**64, number], dtype=np.uint64)))


def draw(
    logits: Tensor, settings: Sequence[DrawSettings], randoms: Sequence[np.random.Generator]
) -> tuple[list[int], list[float]]:
    """A token per row of logits [B, V], and its log-probability at temperature 1 without any cut.

    Each row takes as many numbers from its generator as every other, whatever its settings.

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
    tokens = torch.where(is_greedy, logits.argmax(dim=-1), _largest_with_noise(scaled, randoms))
    chosen = logits.gather(-1, tokens.unsqueeze(-1)).squeeze(-1) - logits.logsumexp(dim=-1)
    return cast("list[int]", tokens.tolist()), cast("list[float]", chosen.tolist())


def draw_often(
    logits: Tensor, temperature: float, randoms: Sequence[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """Tokens [B, K] of logits [B, V], a column per generator, drawn as if alone, and their log-probabilities.

    A generator goes through the rows in their order, however many are given at a time.
    """
    logits = logits.float()
    if temperature == 0:
        tokens = logits.argmax(dim=-1, keepdim=True).expand(-1, len(randoms))
    else:
        blocks = _blocks(logits / temperature)
        masses = blocks.logsumexp(dim=-1)
        tokens = torch.stack([_pick(blocks, masses, [random] * len(logits)) for random in randoms], dim=-1)
    return tokens, logits.gather(-1, tokens) - logits.logsumexp(dim=-1, keepdim=True)


def _largest_with_noise(logits: Tensor, randoms: Sequence[np.random.Generator]) -> Tensor:
    """A token per row of [B, V], drawn with its probability: a block of the vocabulary, then a token of it."""
    blocks = _blocks(logits)
    return _pick(blocks, blocks.logsumexp(dim=-1), randoms)


def _blocks(logits: Tensor) -> Tensor:
    """The vocabulary cut: [B, blocks, tokens]."""
    row_count, width = logits.shape
    side = math.isqrt(width - 1) + 1
    padded = torch.nn.functional.pad(logits, (0, side * side - width), value=float("-inf"))
    return padded.view(row_count, side, side)


def _pick(blocks: Tensor, masses: Tensor, randoms: Sequence[np.random.Generator]) -> Tensor:
    row_count, side = masses.shape
    exponentials = np.stack([random.standard_exponential(2 * side) for random in randoms])
    noise = -torch.from_numpy(np.log(np.maximum(exponentials, 1e-300))).to(blocks.device)
    block = (masses + noise[:, :side]).argmax(dim=-1)
    inside = blocks[torch.arange(row_count, device=blocks.device), block] + noise[:, side:]
    return block * side + inside.argmax(dim=-1)


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
