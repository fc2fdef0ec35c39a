"""Graphs that wait: outputs go to the caller, who sends the gradient of a loss of its own by these outputs.

A graph is used once. It is dropped at its deadline, by the next one of the same model, and when the model's
weights change; a batch too large to wait as a whole is refused before it is computed.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import WorkerError, invalid_input
from ..models.trained import TrainedModel
from ..rows import Row
from .batches import plan_micro_batches
from .passes import (
    PaddedOutputs,
    PassResult,
    Wants,
    adding_gradients,
    check_rows,
    collect_outputs,
    compute_outputs,
)


@dataclass(frozen=True)
class _Part:
    indices: Sequence[int]
    rows: Sequence[Row]
    outputs: PaddedOutputs


@dataclass(frozen=True)
class HeldGraph:
    """The graph of one pass, in micro-batches."""

    forward_number: int
    expires_at: float
    """On the monotonic clock, in seconds."""
    row_count: int
    parts: Sequence[_Part]


def hold_forward(
    model: TrainedModel,
    rows: Sequence[Row],
    *,
    wants: Wants,
    forward_number: int,
    token_budget: int,
    token_limit: int,
    timeout_s: float,
) -> tuple[PassResult, HeldGraph]:
    """A forward pass whose graph is kept.

    Raises:
        WorkerError: `memory-exhausted` for more positions than may wait.
    """
    check_rows(model, rows)
    plan = plan_micro_batches([row.position_count for row in rows], token_budget)
    position_count = sum(len(part) * rows[part[0]].position_count for part in plan)
    if position_count > token_limit:
        raise WorkerError(
            "memory-exhausted",
            f"expected at most {token_limit} positions in a graph that waits, got {position_count}",
            category="server",
            hint="send fewer rows, use two passes, or start the worker with a larger --held-token-limit",
        )
    model.activate()
    parts: list[_Part] = []
    with torch.enable_grad():
        for indices in plan:
            part = [rows[index] for index in indices]
            parts.append(_Part(indices, part, compute_outputs(model, part, wants)))
    result = collect_outputs(len(rows), [(part.indices, part.rows, part.outputs) for part in parts])
    return result, HeldGraph(forward_number, time.monotonic() + timeout_s, len(rows), parts)


def backward_held(model: TrainedModel, graph: HeldGraph, rows: Sequence[Row]) -> None:
    """Adds the gradient of the caller's loss; `rows` hold its derivative by each output.

    Raises:
        WorkerError: `invalid-input` where gradients and outputs do not fit.
    """
    if len(rows) != graph.row_count:
        raise invalid_input(f"expected gradients for {graph.row_count} rows, got {len(rows)}")
    model.activate()
    with adding_gradients(model):
        for part in graph.parts:
            tensors: list[Tensor] = []
            gradients: list[Tensor] = []
            named = {
                "logprobs": part.outputs.logprobs,
                "entropies": part.outputs.entropies,
                "values": part.outputs.values,
            }
            for name, tensor in named.items():
                gradient = _gradient(name, tensor, part, rows)
                if tensor is not None and gradient is not None and tensor.requires_grad:
                    tensors.append(tensor)
                    gradients.append(gradient)
            if tensors:
                torch.autograd.backward(tensors, gradients)


def _gradient(name: str, output: Tensor | None, part: _Part, rows: Sequence[Row]) -> Tensor | None:
    given = {place: rows[index].gradients.get(name) for place, index in enumerate(part.indices)}
    if all(values is None for values in given.values()):
        return None
    if output is None:
        raise invalid_input(f"expected gradients for what the forward pass gave, got some for {name}")
    gradient = torch.zeros_like(output, dtype=torch.float32)
    for place, values in given.items():
        if values is None:
            continue
        row = part.rows[place]
        expected = row.targets.shape if name == "logprobs" else (row.position_count,)
        if values.shape != expected:
            raise invalid_input(
                f"row {part.indices[place]}: expected gradients for {name} of shape {list(expected)}, "
                f"got {list(values.shape)}"
            )
        tensor = torch.from_numpy(values)
        if name == "logprobs":
            columns = tensor[:, None] if tensor.ndim == 1 else tensor
            gradient[place, : row.position_count, : columns.shape[1]] = columns
        else:
            gradient[place, : row.position_count] = tensor
    return gradient
