"""The built-in losses against float64 references and finite differences."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spar_worker.errors import WorkerError
from spar_worker.training.losses import Loss, loss_terms, read_loss

golden = json.loads((Path(__file__).parents[3] / "protocol" / "golden" / "losses.json").read_text())
names = {
    "crossEntropy": "cross_entropy",
    "importanceSampling": "importance_sampling",
    "ppo": "ppo",
    "cispo": "cispo",
    "dro": "dro",
}


def loss_of(fields: dict[str, Any]) -> Loss:
    config = {
        wire: fields[ours]
        for ours, wire in (
            ("clipLow", "clip_low_threshold"),
            ("clipHigh", "clip_high_threshold"),
            ("beta", "beta"),
        )
        if ours in fields
    }
    return read_loss(names[fields["kind"]], config)


def numpy_terms(loss: Loss, l: Any, a: Any, q: Any) -> Any:  # noqa: E741
    """The contract's formulas, written out once more in float64."""
    r = np.exp(l - q)
    clipped = np.clip(r, loss.clip_low, loss.clip_high)
    return {
        "cross_entropy": -l,
        "importance_sampling": -r * a,
        "ppo": -np.minimum(r * a, clipped * a),
        "cispo": -clipped * a * l,
        "dro": -(a * l - loss.beta / 2 * (l - q) ** 2),
    }[loss.kind]


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("case", golden["cases"], ids=lambda case: case["name"])
def test_value_and_gradient_equal_the_golden_vectors(case: dict[str, Any]) -> None:
    inputs = case["inputs"]
    loss = loss_of(inputs["loss"])
    value = tensor(0.0)
    rows = [tensor(row).requires_grad_() for row in inputs["logprobs"]]
    for index, row in enumerate(rows):
        terms = loss_terms(
            loss, row, tensor(inputs["advantages"][index]), tensor(inputs["behaviorLogprobs"][index])
        )
        value = value + (tensor(inputs["weights"][index]) * terms).sum()
    value.backward()
    assert value.item() == pytest.approx(case["outputs"]["value"], rel=1e-12, abs=1e-12)
    for row, expected in zip(rows, case["outputs"]["gradients"], strict=True):
        assert row.grad is not None
        np.testing.assert_allclose(row.grad.numpy(), expected, rtol=1e-12, atol=1e-12)
    assert value.item() + 1e-6 != pytest.approx(case["outputs"]["value"], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    "loss",
    [
        Loss("cross_entropy"),
        Loss("importance_sampling"),
        Loss("ppo", 0.8, 1.2),
        Loss("cispo", 0.5, 2.0),
        Loss("dro", beta=0.3),
    ],
    ids=lambda loss: loss.kind,
)
def test_terms_and_slopes_equal_numpy_and_differences(loss: Loss) -> None:
    random = np.random.default_rng(3)
    l, a, q = -random.exponential(size=64), random.normal(size=64), -random.exponential(size=64)  # noqa: E741
    logprobs = tensor(l).requires_grad_()
    terms = loss_terms(loss, logprobs, tensor(a), tensor(q))
    np.testing.assert_allclose(terms.detach().numpy(), numpy_terms(loss, l, a, q), rtol=1e-12)
    terms.sum().backward()
    step = 1e-6
    slopes = (numpy_terms(loss, l + step, a, q) - numpy_terms(loss, l - step, a, q)) / (2 * step)
    if loss.kind == "cispo":  # Its ratio is a constant to the gradient.
        slopes = -np.clip(np.exp(l - q), loss.clip_low, loss.clip_high) * a
    assert logprobs.grad is not None
    np.testing.assert_allclose(logprobs.grad.numpy(), slopes, rtol=1e-5, atol=1e-7)


def test_settings_without_meaning_are_refused() -> None:
    for name, config in [
        ("ppo", {"clip_low_threshold": 1.2, "clip_high_threshold": 0.8}),
        ("cispo", {"clip_low_threshold": -1.0}),
        ("dro", {}),
        ("nonsense", {}),
    ]:
        with pytest.raises(WorkerError) as refusal:
            read_loss(name, config)
        assert refusal.value.code == "invalid-input"
