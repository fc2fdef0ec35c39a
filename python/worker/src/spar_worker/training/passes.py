"""Passes over training rows: outputs per row, and the gradient of a built-in loss, micro-batch by micro-batch.

A pass that fails or is cancelled leaves the gradients as they were.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import invalid_input
from ..models.trained import TrainedModel
from ..rows import FloatArray, Row, check_row
from .batches import plan_micro_batches
from .losses import Loss, loss_terms
from .token_outputs import token_outputs


@dataclass(frozen=True)
class Wants:
    """Outputs besides log-probabilities."""

    entropies: bool = False
    values: bool = False


@dataclass(frozen=True)
class PassResult:
    """What a pass found, per row in the order of the rows."""

    outputs: dict[str, list[FloatArray]]
    loss: float | None
    position_count: int


@dataclass(frozen=True)
class PaddedOutputs:
    """Outputs of a micro-batch with their graph, [B, L, K] for log-probabilities and [B, L] for the rest."""

    logprobs: Tensor
    entropies: Tensor | None
    values: Tensor | None


CheckCancelled = Callable[[], None]


def check_rows(model: TrainedModel, rows: Sequence[Row]) -> None:
    """Refuses an empty batch and rows that the model cannot compute."""
    if not rows:
        raise invalid_input("expected at least one row, got an empty batch")
    for index, row in enumerate(rows):
        check_row(
            row,
            index,
            vocabulary_size=model.base.vocabulary_size,
            context_length=model.base.context_length,
        )


def check_loss_inputs(loss: Loss, rows: Sequence[Row]) -> None:
    """Refuses rows without what the loss reads."""
    if not loss.needs_advantages:
        return
    for index, row in enumerate(rows):
        if row.targets.ndim != 1:
            raise invalid_input(f"row {index}: {loss.kind} takes one target per position, got several")
        for name, values in (("advantages", row.advantages), ("logprobs", row.behavior_logprobs)):
            if values is None:
                raise invalid_input(f"row {index}: {loss.kind} needs {name}, got none")


def compute_outputs(model: TrainedModel, rows: Sequence[Row], wants: Wants) -> PaddedOutputs:
    """One micro-batch through the network, with its graph where gradients are on."""
    device = model.network.device
    width = max(row.position_count for row in rows)
    target_width = max(1 if row.targets.ndim == 1 else row.targets.shape[1] for row in rows)
    input_ids = np.zeros((len(rows), width), dtype=np.int64)
    targets = np.zeros((len(rows), width, target_width), dtype=np.int64)
    for index, row in enumerate(rows):
        input_ids[index, : row.position_count] = row.input_ids
        columns = row.targets[:, None] if row.targets.ndim == 1 else row.targets
        targets[index, : row.position_count, : columns.shape[1]] = columns
    output = model.network(torch.from_numpy(input_ids).to(device), has_hidden=wants.values)
    logprobs, entropies = token_outputs(
        model.network,
        output.states,
        torch.from_numpy(targets).to(device),
        has_entropies=wants.entropies,
    )
    values = None
    if wants.values:
        if model.value_head is None or output.hidden is None:
            raise invalid_input("expected a model with a value head, got one without")
        values = model.value_head(output.hidden.float()).squeeze(-1)
    return PaddedOutputs(logprobs, entropies, values)


def forward(
    model: TrainedModel,
    rows: Sequence[Row],
    *,
    token_budget: int,
    loss: Loss | None = None,
    wants: Wants | None = None,
    check_cancelled: CheckCancelled = lambda: None,
) -> PassResult:
    """Outputs, and the loss where one is named, without a gradient."""
    check_rows(model, rows)
    if loss is not None:
        check_loss_inputs(loss, rows)
    model.activate()
    collector = _Collector(len(rows))
    total = 0.0
    for indices in plan_micro_batches([row.position_count for row in rows], token_budget):
        check_cancelled()
        part = [rows[index] for index in indices]
        with torch.no_grad():
            outputs = compute_outputs(model, part, wants or Wants())
            if loss is not None:
                total += micro_batch_loss(loss, outputs, part).item()
        collector.add(indices, part, outputs)
    return PassResult(collector.outputs(), None if loss is None else total, collector.position_count)


def forward_backward(
    model: TrainedModel,
    rows: Sequence[Row],
    loss: Loss,
    *,
    token_budget: int,
    check_cancelled: CheckCancelled = lambda: None,
) -> PassResult:
    """Adds the gradient of the summed loss to what has accumulated, or, where it fails, changes nothing."""
    check_rows(model, rows)
    check_loss_inputs(loss, rows)
    model.activate()
    collector = _Collector(len(rows))
    total = 0.0
    with adding_gradients(model):
        for indices in plan_micro_batches([row.position_count for row in rows], token_budget):
            check_cancelled()
            part = [rows[index] for index in indices]
            outputs = compute_outputs(model, part, Wants())
            value = micro_batch_loss(loss, outputs, part)
            if value.requires_grad:
                value.backward()
            total += value.item()
            collector.add(indices, part, outputs)
    return PassResult(collector.outputs(), total, collector.position_count)


@contextmanager
def adding_gradients(model: TrainedModel) -> Generator[None]:
    """Inside, gradients start at none; afterwards they are added to those before, or dropped on an error."""
    parameters = list(model.parameters.values())
    before = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    try:
        yield
    except BaseException:
        for parameter, gradient in zip(parameters, before, strict=True):
            parameter.grad = gradient
        raise
    for parameter, gradient in zip(parameters, before, strict=True):
        if parameter.grad is None:
            parameter.grad = gradient
        elif gradient is not None:
            parameter.grad += gradient


def micro_batch_loss(loss: Loss, outputs: PaddedOutputs, rows: Sequence[Row]) -> Tensor:
    """The weighted sum over the tokens of a micro-batch."""
    logprobs = outputs.logprobs
    shape = logprobs.shape
    weights = torch.zeros(shape, dtype=torch.float32)
    advantages = torch.zeros(shape, dtype=torch.float32)
    behavior = torch.zeros(shape, dtype=torch.float32)
    mask = torch.zeros(shape, dtype=torch.bool)
    for index, row in enumerate(rows):
        place = (
            index,
            slice(row.position_count),
            slice(1 if row.targets.ndim == 1 else row.targets.shape[1]),
        )
        mask[place] = True
        weights[place] = 1.0 if row.weights is None else _columns(row.weights)
        if row.advantages is not None:
            advantages[place] = _columns(row.advantages)
        if row.behavior_logprobs is not None:
            behavior[place] = _columns(row.behavior_logprobs)
    mask &= weights != 0
    device = logprobs.device
    selected = mask.to(device)
    terms = loss_terms(loss, logprobs[selected], advantages[mask].to(device), behavior[mask].to(device))
    return (weights[mask].to(device) * terms).sum()


def _columns(values: FloatArray) -> Tensor:
    tensor = torch.from_numpy(values)
    return tensor[:, None] if tensor.ndim == 1 else tensor


def collect_outputs(
    row_count: int, parts: Iterable[tuple[Sequence[int], Sequence[Row], PaddedOutputs]]
) -> PassResult:
    """The outputs of micro-batches in the order of the rows."""
    collector = _Collector(row_count)
    for indices, rows, outputs in parts:
        collector.add(indices, rows, outputs)
    return PassResult(collector.outputs(), None, collector.position_count)


class _Collector:
    """Puts the outputs of micro-batches back into the order of the rows."""

    def __init__(self, row_count: int) -> None:
        self._row_count = row_count
        self._by_name: dict[str, dict[int, FloatArray]] = {}
        self.position_count = 0

    def add(self, indices: Sequence[int], rows: Sequence[Row], outputs: PaddedOutputs) -> None:
        tensors = {"logprobs": outputs.logprobs, "entropies": outputs.entropies, "values": outputs.values}
        self.position_count += sum(row.position_count for row in rows)
        for name, tensor in tensors.items():
            if tensor is None:
                continue
            found = self._by_name.setdefault(name, {})
            array: FloatArray = tensor.detach().float().cpu().numpy()
            for place, (index, row) in enumerate(zip(indices, rows, strict=True)):
                values = array[place, : row.position_count]
                if name == "logprobs":
                    values = values[:, 0] if row.targets.ndim == 1 else values[:, : row.targets.shape[1]]
                found[index] = values.copy()

    def outputs(self) -> dict[str, list[FloatArray]]:
        return {
            name: [found[index] for index in range(self._row_count)] for name, found in self._by_name.items()
        }
