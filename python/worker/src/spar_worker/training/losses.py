"""The five built-in losses, per token, as the contract defines them.

With l the log-probability of the target under the current weights, q the one of the sampler, A the
advantage, w the weight and r = exp(l - q). What is summed up, never averaged, is `w * term`.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..errors import invalid_input

LossKind = Literal["cross_entropy", "importance_sampling", "ppo", "cispo", "dro"]
loss_kinds: tuple[LossKind, ...] = ("cross_entropy", "importance_sampling", "ppo", "cispo", "dro")

clip_defaults: dict[str, tuple[float, float]] = {"ppo": (0.8, 1.2), "cispo": (0.8, 1.2)}


@dataclass(frozen=True)
class Loss:
    """A built-in loss with its settings; those that a kind does not read are ignored."""

    kind: LossKind
    clip_low: float = 0.0
    clip_high: float = 0.0
    beta: float = 0.0

    @property
    def needs_advantages(self) -> bool:
        """True for all but cross entropy."""
        return self.kind != "cross_entropy"


def read_loss(name: str, settings: dict[str, float]) -> Loss:
    """The loss of a request, with defaults where it names none.

    Raises:
        WorkerError: `invalid-input` for settings without meaning; `capability-missing` for other losses.
    """
    if name == "cross_entropy" or name == "importance_sampling":
        return Loss(name)
    if name == "ppo" or name == "cispo":
        low_default, high_default = clip_defaults[name]
        low = settings.get("clip_low_threshold", low_default)
        high = settings.get("clip_high_threshold", high_default)
        if not 0 <= low <= high:
            raise invalid_input(
                f"{name}: expected 0 <= clip_low_threshold <= clip_high_threshold, got {low}, {high}"
            )
        return Loss(name, clip_low=low, clip_high=high)
    if name == "dro":
        beta = settings.get("beta", math.nan)
        if not (math.isfinite(beta) and beta >= 0):
            raise invalid_input(f"dro: expected a beta of at least 0 in the loss configuration, got {beta}")
        return Loss("dro", beta=beta)
    raise invalid_input(f"expected a loss of {', '.join(loss_kinds)}, got {name!r}")


def loss_terms(loss: Loss, logprobs: Tensor, advantages: Tensor, behavior_logprobs: Tensor) -> Tensor:
    """The unweighted loss of each token, the shape of `logprobs`."""
    if loss.kind == "cross_entropy":
        return -logprobs
    difference = logprobs - behavior_logprobs
    if loss.kind == "dro":
        return -(advantages * logprobs - loss.beta / 2 * difference.square())
    ratio = difference.exp()
    if loss.kind == "importance_sampling":
        return -ratio * advantages
    clipped = ratio.clamp(loss.clip_low, loss.clip_high)
    if loss.kind == "ppo":
        return -torch.minimum(ratio * advantages, clipped * advantages)
    return -clipped.detach() * advantages * logprobs
