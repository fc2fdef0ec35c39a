"""Scores of whole inputs by a version: its value head at every position, or the mean of its last layer."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch

from ..errors import WorkerError, invalid_input
from ..models.versions import Version, Views
from ..rows import FloatArray, IntArray
from ..training.batches import plan_micro_batches
from ..wire.results import PassOutput


def score(
    views: Views,
    version: Version,
    inputs: Sequence[IntArray],
    output: Literal["values", "embedding"],
    *,
    token_budget: int,
    check_cancelled: Callable[[], None] = lambda: None,
) -> PassOutput:
    """One array per input: [T] values, or [hidden size] of the embedding."""
    base = version.base
    for index, ids in enumerate(inputs):
        if not 0 < len(ids) <= base.context_length:
            raise invalid_input(f"input {index}: expected 1 .. {base.context_length} positions, got {len(ids)}")
        if ids.min() < 0 or ids.max() >= base.vocabulary_size:
            raise invalid_input(
                f"input {index}: expected token ids in 0 .. {base.vocabulary_size - 1}, got others"
            )
    head = views.value_head(version)
    if output == "values" and head is None:
        raise WorkerError("capability-missing", f"expected a version with a value head, got {version.address}")
    network = views.enter(version)
    found: dict[int, FloatArray] = {}
    for part in plan_micro_batches([len(ids) for ids in inputs], token_budget):
        check_cancelled()
        padded = np.zeros((len(part), max(len(inputs[index]) for index in part)), dtype=np.int64)
        for row, index in enumerate(part):
            padded[row, : len(inputs[index])] = inputs[index]
        with torch.no_grad():
            hidden = network(
                torch.from_numpy(padded).to(network.device), has_hidden=True, last_only=True
            ).hidden
            assert hidden is not None
            for row, index in enumerate(part):
                own = hidden[row, : len(inputs[index])].float()
                result = own.mean(dim=0) if output == "embedding" or head is None else head(own).squeeze(-1)
                found[index] = result.cpu().numpy()
    return PassOutput({output: [found[index] for index in range(len(inputs))]}, {}, len(inputs))
