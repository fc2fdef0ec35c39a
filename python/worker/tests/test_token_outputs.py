"""Log-probabilities, entropies and their gradients from states, against plain float64."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import Gemma2Config, Gemma2ForCausalLM

from spar_worker.models.base import BaseModel
from spar_worker.models.lora import LoraShape
from spar_worker.models.network import Network
from spar_worker.models.trained import TrainedModel, Tuning
from spar_worker.training import token_outputs as module
from spar_worker.training.passes import Wants, forward
from spar_worker.training.token_outputs import token_outputs
from tiny import base_for, random_rows, vocabulary_size

row_count, length = 3, 7


def write_gemma(folder: Path) -> Path:
    """A network that bends its logits after the output layer."""
    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=vocabulary_size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=128,
        final_logit_softcapping=2.0,
    )
    Gemma2ForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["llama", "gemma"])
def base(
    request: pytest.FixtureRequest, llama_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> BaseModel:
    folder = llama_folder if request.param == "llama" else write_gemma(tmp_path_factory.mktemp("gemma"))
    return base_for(folder, tmp_path_factory.mktemp("state"))


def expected_outputs(network: Network, states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    distribution = network.logits(states).double().log_softmax(dim=-1)
    return distribution.gather(-1, targets), -(distribution.exp() * distribution).sum(dim=-1)


@pytest.mark.parametrize("part_count", [2**24, 2 * vocabulary_size, 1])
@pytest.mark.parametrize("target_width", [1, 3])
@pytest.mark.parametrize("has_entropies", [False, True])
def test_values_and_gradients(
    base: BaseModel,
    part_count: int,
    target_width: int,
    has_entropies: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "part_logit_count", part_count)
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(3, vocabulary_size, (row_count, length), generator=generator)
    targets = torch.randint(0, vocabulary_size, (row_count, length, target_width), generator=generator)
    targets[0, 0] = 5  # The same target several times.
    by_logprobs = torch.randn(targets.shape, generator=generator)
    by_entropies = torch.randn(targets.shape[:2], generator=generator)
    with torch.no_grad():
        states = base.network(ids).states

    def gradient(logprobs: Tensor, entropies: Tensor | None, leaf: Tensor) -> Tensor:
        loss = (by_logprobs * logprobs).sum()
        if entropies is not None:
            loss = loss + (by_entropies * entropies).sum()
        (found,) = torch.autograd.grad(loss, leaf)
        return found

    leaf = states.clone().requires_grad_(True)
    logprobs, entropies = token_outputs(base.network, leaf, targets, has_entropies=has_entropies)
    other = states.clone().requires_grad_(True)
    true_logprobs, true_entropies = expected_outputs(base.network, other, targets)
    torch.testing.assert_close(logprobs.double(), true_logprobs, rtol=1e-5, atol=1e-5)
    if entropies is not None:
        torch.testing.assert_close(entropies.double(), true_entropies, rtol=1e-5, atol=1e-5)
    assert (entropies is not None) == has_entropies
    torch.testing.assert_close(
        gradient(logprobs, entropies, leaf),
        gradient(true_logprobs, true_entropies if has_entropies else None, other),
        rtol=1e-4,
        atol=1e-5,
    )
    with torch.no_grad():
        again, _ = token_outputs(base.network, states, targets, has_entropies=False)
    torch.testing.assert_close(again, logprobs.detach(), rtol=1e-5, atol=1e-5)


def test_states_stand_before_the_output_layer_where_it_is_the_last(base: BaseModel) -> None:
    ids = torch.tensor([[3, 4, 5, 6]])
    is_plain = base.network.config.model_type == "llama"
    with torch.no_grad():
        whole: Tensor = base.network.module(input_ids=ids).logits
        output = base.network(ids)
        last = base.network(ids, last_only=True)
        assert output.states.shape[-1] == (base.hidden_size if is_plain else vocabulary_size)
        torch.testing.assert_close(base.network.logits(output.states), whole)
        torch.testing.assert_close(base.network.logits(last.states), whole[:, -1:])
        torch.testing.assert_close(base.network.module(input_ids=ids).logits, whole)  # No hook is left.


def test_an_adapter_on_the_output_layer_takes_part(base: BaseModel) -> None:
    model = TrainedModel("m", base, Tuning(LoraShape(4), seed=1))
    rows = random_rows(2, [5, 9])
    before = forward(model, rows, token_budget=64, wants=Wants()).outputs["logprobs"]
    generator = torch.Generator().manual_seed(1)
    moved = [name for name in model.parameters if "lm_head" in name and "lora_B" in name]
    assert moved
    with torch.no_grad():
        for name in moved:
            model.parameters[name].add_(0.1 * torch.randn(model.parameters[name].shape, generator=generator))
    found = forward(model, rows, token_budget=64, wants=Wants()).outputs["logprobs"]
    for row, values, old in zip(rows, found, before, strict=True):
        with torch.no_grad():
            logits = base.network.module(input_ids=torch.from_numpy(row.input_ids)[None]).logits[0].double()
        expected = logits.log_softmax(-1).gather(-1, torch.from_numpy(row.targets)[:, None])[:, 0].numpy()
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5)
        assert np.abs(values - old).max() > 0.01
    model.release()
