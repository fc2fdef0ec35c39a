"""Passes over a real (tiny) network: exact sums, gradients, several adapters, graphs that wait."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from spar_worker.errors import WorkerError
from spar_worker.models.base import BaseModel
from spar_worker.models.lora import LoraShape
from spar_worker.models.trained import TrainedModel, Tuning
from spar_worker.rows import Row
from spar_worker.training.batches import plan_micro_batches
from spar_worker.training.held import backward_held, hold_forward
from spar_worker.training.losses import Loss
from spar_worker.training.optimizers import OptimizerSettings
from spar_worker.training.passes import Wants, forward, forward_backward
from tiny import base_for, random_rows

lengths = [5, 17, 9, 1, 12, 17, 3]
all_losses = [
    Loss("cross_entropy"),
    Loss("importance_sampling"),
    Loss("ppo", 0.8, 1.2),
    Loss("cispo", 0.8, 1.2),
    Loss("dro", beta=0.1),
]
tunings = {"lora": Tuning(LoraShape(4), seed=7), "full": Tuning(None)}


@pytest.fixture(scope="module")
def base(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return base_for(llama_folder, tmp_path_factory.mktemp("state"))


def moved(model: TrainedModel, seed: int = 1) -> TrainedModel:
    """The same model with weights away from their start, so that every weight has a gradient."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters.values():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model


def gradients(model: TrainedModel) -> dict[str, torch.Tensor]:
    found = {name: p.grad.clone() for name, p in model.parameters.items() if p.grad is not None}
    model.optimizer.clear_gradients()
    return found


def assert_close(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor], rtol: float = 1e-4) -> None:
    assert one.keys() == two.keys()
    scale = max(t.abs().max().item() for t in one.values())
    for name, gradient in one.items():
        torch.testing.assert_close(gradient, two[name], rtol=rtol, atol=rtol * scale, msg=name)


def test_a_plan_covers_every_row_once_within_the_budget() -> None:
    plan = plan_micro_batches(lengths, 32)
    assert sorted(index for part in plan for index in part) == list(range(len(lengths)))
    for part in plan:
        assert len(part) == 1 or len(part) * max(lengths[i] for i in part) <= 32
    assert plan_micro_batches([100], 32) == [[0]]


@pytest.mark.parametrize("loss", all_losses, ids=lambda loss: loss.kind)
@pytest.mark.parametrize("kind", tunings)
def test_one_batch_equals_micro_batches(base: BaseModel, loss: Loss, kind: str) -> None:
    model = moved(TrainedModel("m", base, tunings[kind]))
    rows = random_rows(1, lengths)
    whole = forward_backward(model, rows, loss, token_budget=10_000)
    expected = gradients(model)
    parts = forward_backward(model, rows, loss, token_budget=18)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-5)
    assert_close(expected, gradients(model))
    for row in rows:
        forward_backward(model, [row], loss, token_budget=10_000)
    single = gradients(model)
    assert_close(expected, single)
    with pytest.raises(AssertionError):
        assert_close({name: 1.01 * t for name, t in expected.items()}, single)
    for one, two in zip(whole.outputs["logprobs"], parts.outputs["logprobs"], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
    model.release()


@pytest.mark.parametrize("kind", tunings)
def test_the_gradient_is_the_slope(base: BaseModel, kind: str) -> None:
    model = moved(TrainedModel("m", base, tunings[kind]))
    rows = random_rows(2, [6, 9])
    loss = Loss("importance_sampling")
    forward_backward(model, rows, loss, token_budget=64)
    direction = gradients(model)
    slope = sum((g * g).sum().item() for g in direction.values())
    step = 1e-3 / slope**0.5

    def value(scale: float) -> float:
        with torch.no_grad():
            for name, g in direction.items():
                model.parameters[name] += scale * step * g
        found = forward(model, rows, token_budget=64, loss=loss).loss
        with torch.no_grad():
            for name, g in direction.items():
                model.parameters[name] -= scale * step * g
        assert found is not None
        return found

    assert (value(1.0) - value(-1.0)) / (2 * step) == pytest.approx(slope, rel=2e-2)
    model.release()


def test_missing_weights_are_ones_and_several_targets_per_position_are_summed(base: BaseModel) -> None:
    model = TrainedModel("m", base, tunings["lora"])
    [row] = random_rows(3, [8])
    plain = Row(row.input_ids, row.targets)
    ones = Row(row.input_ids, row.targets, np.ones(8, dtype=np.float32))
    loss = Loss("cross_entropy")
    value = forward(model, [plain], token_budget=64, loss=loss).loss
    assert value == forward(model, [ones], token_budget=64, loss=loss).loss
    both = Row(
        row.input_ids, np.stack([row.targets, row.targets], axis=1), np.full((8, 2), 0.5, dtype=np.float32)
    )
    double = forward(model, [both, plain], token_budget=64, loss=loss)
    assert double.outputs["logprobs"][0].shape == (8, 2)
    assert double.outputs["logprobs"][1].shape == (8,)
    assert value is not None
    assert double.loss == pytest.approx(2 * value, rel=1e-5)
    model.release()


def test_adapters_on_one_base_do_not_touch_each_other_nor_the_base(base: BaseModel) -> None:
    rows = random_rows(4, [10, 6])
    one = TrainedModel("one", base, tunings["lora"])
    two = TrainedModel("two", base, Tuning(LoraShape(8, train_mlp=False, train_unembedding=False), seed=9))
    start = forward(one, rows, token_budget=64).outputs["logprobs"]
    np.testing.assert_array_equal(start[0], forward(two, rows, token_budget=64).outputs["logprobs"][0])
    adam = OptimizerSettings("adamw", learning_rate=0.01)
    for model in (one, two, one):
        forward_backward(model, rows, Loss("cross_entropy"), token_budget=64)
        model.optimizer.step(adam)
    assert (one.optimizer.step_count, two.optimizer.step_count) == (2, 1)
    losses = [forward(m, rows, token_budget=64, loss=Loss("cross_entropy")).loss for m in (one, two)]
    fresh = TrainedModel("fresh", base, tunings["lora"])
    untouched = forward(fresh, rows, token_budget=64, loss=Loss("cross_entropy"))
    np.testing.assert_array_equal(start[0], untouched.outputs["logprobs"][0])
    assert losses[0] != losses[1]
    assert losses[0] is not None
    assert untouched.loss is not None
    assert losses[0] < untouched.loss
    for model in (one, two, fresh):
        model.release()


def test_adapters_of_equal_seed_are_equal_and_start_as_the_base(base: BaseModel) -> None:
    models = [TrainedModel(f"m{seed}", base, Tuning(LoraShape(4), seed=seed)) for seed in (1, 1, 2)]
    one, same, other = (model.snapshot() for model in models)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)
    for model in models:
        model.release()


def test_a_pass_that_fails_leaves_the_gradients_as_they_were(base: BaseModel) -> None:
    model = moved(TrainedModel("m", base, tunings["lora"]))
    rows = random_rows(5, lengths)
    forward_backward(model, rows[:2], Loss("cross_entropy"), token_budget=32)
    before = {name: p.grad.clone() for name, p in model.parameters.items() if p.grad is not None}
    calls = 0

    def cancel_in_the_middle() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise WorkerError("aborted", "stop")

    with pytest.raises(WorkerError):
        forward_backward(
            model, rows, Loss("cross_entropy"), token_budget=18, check_cancelled=cancel_in_the_middle
        )
    after = gradients(model)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    model.release()


@pytest.mark.parametrize("kind", tunings)
def test_a_graph_that_waits_gives_the_gradient_of_two_passes(base: BaseModel, kind: str) -> None:
    model = moved(TrainedModel("m", base, tunings[kind]))
    rows = random_rows(6, lengths)
    random = np.random.default_rng(0)
    slopes = [random.normal(size=row.position_count).astype(np.float32) for row in rows]
    linear = [Row(row.input_ids, row.targets, -slope) for row, slope in zip(rows, slopes, strict=True)]
    forward_backward(model, linear, Loss("cross_entropy"), token_budget=64)
    expected = gradients(model)
    result, graph = hold_forward(
        model, rows, wants=Wants(), forward_number=1, token_budget=64, token_limit=10_000, timeout_s=60
    )
    other = TrainedModel("other", base, Tuning(LoraShape(2)))
    forward_backward(other, rows, Loss("cross_entropy"), token_budget=64)  # Somebody else computes in between.
    assert len(result.outputs["logprobs"]) == len(rows)
    backward_held(
        model,
        graph,
        [
            Row(r.input_ids[:0], r.targets[:0], gradients={"logprobs": s})
            for r, s in zip(rows, slopes, strict=True)
        ],
    )
    assert_close(expected, gradients(model))
    assert graph.expires_at > time.monotonic()
    with pytest.raises(WorkerError) as refusal:
        hold_forward(
            model, rows, wants=Wants(), forward_number=1, token_budget=64, token_limit=20, timeout_s=60
        )
    assert refusal.value.code == "memory-exhausted"
    other.release()
    model.release()


def test_entropies_and_values_have_the_slopes_of_their_formulas(base: BaseModel) -> None:
    model = moved(TrainedModel("m", base, Tuning(LoraShape(4), seed=1, has_value_head=True)))
    [row] = random_rows(7, [6])
    wants = Wants(entropies=True, values=True)

    def total() -> float:
        outputs = forward(model, [row], token_budget=64, wants=wants).outputs
        return float(outputs["entropies"][0].sum() + 2 * outputs["values"][0].sum())

    _, graph = hold_forward(
        model, [row], wants=wants, forward_number=1, token_budget=64, token_limit=100, timeout_s=60
    )
    ones = np.ones(6, dtype=np.float32)
    backward_held(
        model, graph, [Row(row.input_ids, row.targets, gradients={"entropies": ones, "values": 2 * ones})]
    )
    direction = gradients(model)
    assert "value_head.weight" in direction
    slope = sum((g * g).sum().item() for g in direction.values())
    step = 1e-3 / slope**0.5
    values: list[float] = []
    for scale in (1.0, -2.0):
        with torch.no_grad():
            for name, g in direction.items():
                model.parameters[name] += scale * step * g
        values.append(total())
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope, rel=2e-2)
    model.release()


def test_rows_without_meaning_are_refused_by_number(base: BaseModel) -> None:
    model = TrainedModel("m", base, tunings["lora"])
    good = random_rows(8, [4])[0]
    long = random_rows(8, [129])[0]
    bad: list[tuple[list[Row], str]] = [
        ([], "at least one row"),
        ([good, Row(good.input_ids[:0], good.targets[:0])], "row 1: expected at least one position"),
        ([good, Row(good.input_ids, good.targets[:2])], "row 1: expected 4 targets"),
        ([Row(good.input_ids + 100, good.targets)], "row 0: expected token ids in 0 .. 47"),
        ([Row(good.input_ids, good.targets, np.full(4, np.nan, dtype=np.float32))], "finite weights"),
        ([long], "at most 128 positions"),
    ]
    for rows, message in bad:
        with pytest.raises(WorkerError, match=message):
            forward_backward(model, rows, Loss("cross_entropy"), token_budget=64)
    with pytest.raises(WorkerError, match="ppo needs advantages"):
        forward_backward(model, [Row(good.input_ids, good.targets)], Loss("ppo", 0.8, 1.2), token_budget=64)
    model.release()


def test_bfloat16_trains_adapters_and_whole_networks(llama_folder: Path, tmp_path: Path) -> None:
    base = base_for(llama_folder, tmp_path, precision="bfloat16")
    rows = random_rows(9, [16, 16])
    for tuning in tunings.values():
        model = TrainedModel("m", base, tuning)
        assert all(parameter.dtype == torch.float32 for parameter in model.parameters.values())
        losses: list[float] = []
        for _ in range(8):
            result = forward_backward(model, rows, Loss("cross_entropy"), token_budget=64)
            assert result.loss is not None
            losses.append(result.loss)
            model.optimizer.step(OptimizerSettings("adamw", learning_rate=0.01))
        assert losses[-1] < 0.9 * losses[0]
        model.release()


def test_gradient_checkpointing_changes_no_number(llama_folder: Path, tmp_path: Path) -> None:
    rows = random_rows(10, [9, 12])
    found: list[dict[str, torch.Tensor]] = []
    for is_on in (False, True):
        base = base_for(llama_folder, tmp_path, has_gradient_checkpointing=is_on)
        model = moved(TrainedModel("m", base, tunings["lora"]))
        forward_backward(model, rows, Loss("cross_entropy"), token_budget=64)
        found.append(gradients(model))
    assert_close(found[0], found[1], rtol=1e-6)
