"""Log-probabilities and entropies of tokens from the states of a network, with one copy of the logits at most.

Logits are the largest tensors of a pass. Without a gradient they are computed for some positions at a time.
With one they are kept once, and the way back turns them into their own gradient in place.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..models.network import Network

part_logit_count = 2**24
"""Logits that are computed, or turned into gradients, at a time: 64 MiB in float32."""


class _Outputs(NamedTuple):
    logprobs: Tensor
    """[N, K]."""
    entropies: Tensor
    """[N] in nats, or [0] where none were asked for."""
    normalizer: Tensor
    """[N]: the logarithm of the sum of exp(logits)."""


def token_outputs(
    network: Network, states: Tensor, targets: Tensor, *, has_entropies: bool
) -> tuple[Tensor, Tensor | None]:
    """Log-probabilities [B, L, K] of targets [B, L, K], and entropies [B, L] in nats, from states [B, L, H].

    The graph can be used for one gradient: the way back overwrites what it holds.
    """
    flat_states, flat_targets = states.flatten(0, 1), targets.flatten(0, 1)
    if torch.is_grad_enabled():
        logprobs, entropies = _TokenOutputs.apply(network.logits(flat_states), flat_targets, has_entropies)
    else:
        logprobs, entropies, _ = _outputs_by_parts(
            lambda part: network.logits(flat_states[part]),
            network.vocabulary_size,
            flat_targets,
            has_entropies,
        )
    return logprobs.view(targets.shape), entropies.view(targets.shape[:2]) if has_entropies else None


def position_parts(count: int, vocabulary_size: int) -> Iterator[slice]:
    """Cuts `count` positions so that the logits of a part stay within the limit."""
    size = max(1, part_logit_count // vocabulary_size)
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def _outputs_by_parts(
    logits_of: Callable[[slice], Tensor], vocabulary_size: int, targets: Tensor, has_entropies: bool
) -> _Outputs:
    parts = [
        _outputs(logits_of(part), targets[part], has_entropies)
        for part in position_parts(len(targets), vocabulary_size)
    ]
    return _Outputs(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def _outputs(logits: Tensor, targets: Tensor, has_entropies: bool) -> _Outputs:
    normalizer = logits.logsumexp(dim=-1)
    logprobs = logits.gather(-1, targets) - normalizer.unsqueeze(-1)
    if not has_entropies:
        return _Outputs(logprobs, normalizer.new_zeros(0), normalizer)
    expected = (torch.softmax(logits, dim=-1) * logits).sum(dim=-1)
    return _Outputs(logprobs, normalizer - expected, normalizer)


class _TokenOutputs(torch.autograd.Function):
    """`_outputs` with its derivative. With p the probabilities, l their logarithms and H the entropy,

    d l_k / d x_j = [j = k] - p_j    and    d H / d x_j = -p_j (l_j + H).
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, has_entropies: bool) -> tuple[Tensor, Tensor]:
        logprobs, entropies, normalizer = _outputs_by_parts(
            lambda part: logits[part], logits.shape[-1], targets, has_entropies
        )
        ctx.save_for_backward(logits, targets, normalizer, entropies)
        return logprobs, entropies

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        logits, targets, normalizer, entropies = ctx.saved_tensors
        by_logprobs, by_entropies = gradients
        total = by_logprobs.sum(dim=-1, keepdim=True)
        for part in position_parts(*logits.shape):
            own = logits[part]
            own.sub_(normalizer[part].unsqueeze(-1))
            factor = total[part]
            if len(entropies) > 0:
                factor = factor + by_entropies[part].unsqueeze(-1) * (own + entropies[part].unsqueeze(-1))
            own.exp_().mul_(-factor)
            own.scatter_add_(-1, targets[part], by_logprobs[part])
        return logits, None, None
