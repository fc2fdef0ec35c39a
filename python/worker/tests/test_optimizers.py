"""Optimizer steps against the golden vectors of the contract, and what state is kept."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import Parameter

from spar_worker.errors import WorkerError
from spar_worker.training.operations import optimizer_kind, read_optimizer
from spar_worker.training.optimizers import Optimizer, OptimizerSettings
from spar_worker.wire.requests import OptimStep

golden = json.loads((Path(__file__).parents[3] / "protocol" / "golden" / "optimizers.json").read_text())


def settings_of(fields: dict[str, Any]) -> OptimizerSettings:
    wire = {
        "type": fields["kind"],
        "learning_rate": fields["learningRate"],
        "grad_clip_norm": fields.get("clipGradientNorm", 0.0),
    }
    for ours, theirs in (
        ("beta1", "beta1"),
        ("beta2", "beta2"),
        ("epsilon", "epsilon"),
        ("weightDecay", "weight_decay"),
        ("alpha", "alpha"),
        ("momentum", "momentum"),
    ):
        if ours in fields:
            wire[theirs] = fields[ours]
    return read_optimizer(OptimStep.model_validate({"model_id": "m", "optimizer_params": wire}))


@pytest.mark.parametrize("case", golden["cases"], ids=lambda case: case["name"])
def test_steps_equal_the_golden_vectors(case: dict[str, Any]) -> None:
    inputs, outputs = case["inputs"], case["outputs"]
    parameter = Parameter(torch.tensor(inputs["weights"], dtype=torch.float64))
    optimizer = Optimizer({"weight": parameter})
    settings = settings_of(inputs["parameters"])
    for gradient, step in zip(inputs["gradients"], outputs["steps"], strict=True):
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        report = optimizer.step(settings)
        assert report.gradient_norm == pytest.approx(step["gradientNorm"], rel=1e-12)
        np.testing.assert_allclose(parameter.detach().numpy(), step["weights"], rtol=1e-9, atol=1e-12)


def adamw(**changes: float) -> OptimizerSettings:
    return OptimizerSettings("adamw", learning_rate=0.1, **changes)


def with_gradient(parameter: Parameter, value: float = 1.0) -> None:
    parameter.grad = torch.full_like(parameter, value)


def test_a_state_that_was_exported_goes_on_as_if_nothing_happened() -> None:
    one, two = Parameter(torch.ones(3)), Parameter(torch.ones(3))
    first, second = Optimizer({"w": one}), Optimizer({"w": two})
    for value in (1.0, -0.5):
        with_gradient(one, value)
        first.step(adamw())
    two.data = one.data.clone()
    second.import_state(first.kind, first.step_count, first.export_state())
    for parameter, optimizer in ((one, first), (two, second)):
        with_gradient(parameter, 0.3)
        assert optimizer.step(adamw()).step_count == 3
    assert torch.equal(one, two)


def test_no_gradient_or_a_broken_one_changes_nothing() -> None:
    parameter = Parameter(torch.ones(2))
    optimizer = Optimizer({"w": parameter})
    for gradient, code in ((None, "invalid-input"), (float("nan"), "weights-diverged")):
        if gradient is not None:
            with_gradient(parameter, gradient)
        with pytest.raises(WorkerError) as refusal:
            optimizer.step(adamw())
        assert refusal.value.code == code
        assert torch.equal(parameter, torch.ones(2))
        assert parameter.grad is None


def test_settings_without_meaning_are_refused() -> None:
    for settings in (adamw(beta1=1.0), adamw(weight_decay=-1.0), adamw(epsilon=float("nan"))):
        with pytest.raises(WorkerError):
            settings.check()
    with pytest.raises(WorkerError):
        optimizer_kind("lion")


def test_a_momentum_that_is_used_from_some_step_on_begins_at_zero() -> None:
    late, early = Parameter(torch.ones(3)), Parameter(torch.ones(3))
    plain = OptimizerSettings("rmsprop", learning_rate=0.1)
    moving = OptimizerSettings("rmsprop", learning_rate=0.1, momentum=0.9)
    optimizer, reference = Optimizer({"w": late}), Optimizer({"w": early})
    for settings in (plain, moving, plain, moving):
        with_gradient(late)
        optimizer.step(settings)
    with_gradient(early)
    reference.step(plain)
    # By hand: squares s <- 0.99 s + 0.01 g^2 with g = 1, and a buffer b <- 0.9 b + g / sqrt(s).
    squares, buffer, weight = 0.01, 0.0, float(early[0])
    for is_moving in (True, False, True):
        squares = 0.99 * squares + 0.01
        step = 1 / squares**0.5
        if is_moving:
            buffer = 0.9 * buffer + step
        weight -= 0.1 * (buffer if is_moving else step)
    assert float(late[0]) == pytest.approx(weight, rel=1e-5)


def test_memory_that_runs_out_before_the_arithmetic_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": Parameter(torch.ones(3)), "b": Parameter(torch.ones(3))}
    optimizer = Optimizer(parameters)
    for parameter in parameters.values():
        with_gradient(parameter)
    zeros_like, made = torch.zeros_like, list[int]()

    def scarce(like: torch.Tensor) -> torch.Tensor:
        made.append(1)
        if len(made) == 3:
            raise torch.OutOfMemoryError
        return zeros_like(like)

    monkeypatch.setattr(torch, "zeros_like", scarce)
    with pytest.raises(torch.OutOfMemoryError):
        optimizer.step(adamw())
    assert all(torch.equal(p.detach(), torch.ones(3)) and p.grad is not None for p in parameters.values())
    monkeypatch.undo()
    optimizer.step(adamw())
    other = {"a": Parameter(torch.ones(3)), "b": Parameter(torch.ones(3))}
    for parameter in other.values():
        with_gradient(parameter)
    Optimizer(other).step(adamw())
    assert all(torch.equal(parameters[name], other[name]) for name in parameters)


def test_a_step_that_broke_in_the_middle_is_no_state_until_one_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parameter = Parameter(torch.ones(3))
    optimizer = Optimizer({"w": parameter})
    with_gradient(parameter)
    optimizer.step(adamw())
    state = {name: value.clone() for name, value in optimizer.export_state().items()}
    with_gradient(parameter)

    def breaks(_: torch.optim.AdamW) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(torch.optim.AdamW, "step", breaks)
    with pytest.raises(torch.OutOfMemoryError):
        optimizer.step(adamw())
    monkeypatch.undo()
    for use in (lambda: optimizer.step(adamw()), optimizer.export_state):
        with pytest.raises(WorkerError) as caught:
            use()
        assert caught.value.code == "step-broken"
    optimizer.import_state("adamw", 1, state)
    with_gradient(parameter)
    assert optimizer.step(adamw()).step_count == 2
