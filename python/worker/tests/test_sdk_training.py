"""The official SDK as the client: it trains, with built-in losses and its own, and is told what was wrong."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tinker
import torch
from tinker import types

from tiny import random_rows
from worker_process import RunningWorker, key

Floats = npt.NDArray[np.float64]
rows = random_rows(11, [12, 20, 7, 16])


@pytest.fixture(scope="module")
def service(worker: RunningWorker) -> Iterator[tinker.ServiceClient]:
    client = tinker.ServiceClient(base_url=worker.url, api_key=key)
    yield client
    client.close("success").result()


def datum(index: int, **inputs: Any) -> types.Datum:
    row = rows[index]
    given = {"target_tokens": row.targets, "weights": np.ones(len(row.targets), dtype=np.float32)} | inputs
    return types.Datum(
        model_input=types.ModelInput.from_ints(row.input_ids.tolist()),
        loss_fn_inputs={name: types.TensorData.from_numpy(np.asarray(v)) for name, v in given.items()},
    )


def policy_datum(index: int) -> types.Datum:
    row = rows[index]
    assert row.advantages is not None
    assert row.behavior_logprobs is not None
    return datum(index, advantages=row.advantages, logprobs=row.behavior_logprobs)


batch = [datum(index) for index in range(4)]


def test_a_training_loop_lowers_its_loss(service: tinker.ServiceClient) -> None:
    client = service.create_lora_training_client("tiny", rank=8, seed=1).result()
    losses: list[float] = []
    metrics: dict[str, float] | None = None
    for _ in range(15):
        passed = client.forward_backward(batch, "cross_entropy")
        stepped = client.optim_step(types.AdamParams(learning_rate=0.005))
        losses.append(passed.result().metrics["loss:sum"])
        metrics = stepped.result().metrics
        assert metrics is not None
        assert metrics["grad_norm"] > 0
    assert losses[-1] < 0.7 * losses[0]
    assert metrics is not None
    assert metrics["step_count"] == 15
    result = client.forward(batch, "cross_entropy").result()
    total = -sum(float(np.sum(output["logprobs"].data)) for output in result.loss_fn_outputs)
    assert result.metrics["loss:sum"] == pytest.approx(total, rel=1e-5)
    assert result.metrics["loss:sum"] < losses[-1]


def formula(loss: str, new: Floats, advantages: Floats, old: Floats) -> float:
    ratio = np.exp(new - old)
    terms = {
        "importance_sampling": ratio * advantages,
        "ppo": np.minimum(ratio * advantages, np.clip(ratio, 0.8, 1.2) * advantages),
        "cispo": np.clip(ratio, 0.8, 3.0) * advantages * new,
        "dro": advantages * new - 0.025 * (new - old) ** 2,
    }[loss]
    return -float(terms.sum())


@pytest.mark.parametrize(
    ("loss", "config"),
    [
        ("importance_sampling", None),
        ("ppo", None),
        ("cispo", {"clip_high_threshold": 3.0}),
        ("dro", {"beta": 0.05}),
    ],
)
def test_every_loss_has_the_value_of_its_formula(
    service: tinker.ServiceClient, loss: Any, config: dict[str, float] | None
) -> None:
    client = service.create_lora_training_client("tiny", rank=2, seed=2).result()
    data = [policy_datum(index) for index in range(4)]
    result = client.forward_backward(data, loss, config).result()
    total = 0.0
    for row, output in zip(rows, result.loss_fn_outputs, strict=True):
        assert row.advantages is not None
        assert row.behavior_logprobs is not None
        new = np.asarray(output["logprobs"].data, dtype=np.float64)
        total += formula(loss, new, row.advantages.astype(np.float64), row.behavior_logprobs.astype(np.float64))
    assert result.metrics["loss:sum"] == pytest.approx(total, rel=1e-4)


def test_a_custom_loss_equals_the_built_in_one(service: tinker.ServiceClient) -> None:
    def negative_sum(
        _: list[types.Datum], logprobs: list[torch.Tensor]
    ) -> tuple[torch.Tensor, dict[str, float]]:
        return -torch.stack([values.sum() for values in logprobs]).sum(), {"rows": float(len(logprobs))}

    norms: list[float] = []
    for is_custom in (False, True):
        client = service.create_lora_training_client("tiny", rank=4, seed=3).result()
        passed = (
            client.forward_backward_custom(batch, negative_sum)
            if is_custom
            else client.forward_backward(batch, "cross_entropy")
        )
        metrics = client.optim_step(types.AdamParams(learning_rate=0.01)).result().metrics
        assert metrics is not None
        norms.append(metrics["grad_norm"])
        assert len(passed.result().loss_fn_outputs) == 4
    assert norms[0] == pytest.approx(norms[1], rel=1e-5)


def test_large_batches_arrive_in_chunks_and_in_order(service: tinker.ServiceClient) -> None:
    client = service.create_lora_training_client("tiny", rank=2, seed=4).result()
    many = [datum(index % 4) for index in range(1100)]
    one, four = client.forward(many, "cross_entropy"), client.forward(batch, "cross_entropy")
    big, small = one.result(), four.result()
    assert len(big.loss_fn_outputs) == 1100
    assert big.metrics["loss:sum"] == pytest.approx(275 * small.metrics["loss:sum"], rel=1e-4)


def test_what_was_wrong_is_said_and_the_worker_lives_on(
    service: tinker.ServiceClient, worker: RunningWorker
) -> None:
    client = service.create_lora_training_client("tiny", rank=2, seed=5).result()
    wrong = types.Datum(
        model_input=types.ModelInput.from_ints([1, 2, 99]),
        loss_fn_inputs={"target_tokens": types.TensorData.from_numpy(np.array([2, 3, 4]))},
    )
    with pytest.raises(
        tinker.RequestFailedError, match=r"row 0: expected token ids in 0 \.\. 47, got 99"
    ) as failed:
        client.forward_backward([wrong], "cross_entropy").result()
    assert failed.value.category is types.RequestErrorCategory.User
    with pytest.raises(tinker.NotFoundError, match="expected a base model"):
        service.create_lora_training_client("nothing").result()
    with pytest.raises(tinker.AuthenticationError):
        tinker.ServiceClient(base_url=worker.url, api_key="tml-other").create_lora_training_client(
            "tiny"
        ).result()
    assert client.get_info().model_data.model_name == "tiny"
    assert client.get_info().lora_rank == 2


def test_the_command_of_the_sdk_downloads_a_checkpoint(
    service: tinker.ServiceClient, worker: RunningWorker, tmp_path: Path
) -> None:
    client = service.create_lora_training_client("tiny", rank=4, seed=1).result()
    saved = client.save_state("downloaded").result().path
    command = [sys.executable, "-m", "tinker.cli", "checkpoint", "download", saved, "--output", str(tmp_path)]
    environment = os.environ | {"TINKER_BASE_URL": worker.url, "TINKER_API_KEY": key}
    subprocess.run(command, env=environment, check=True, timeout=300)
    names = {file.name for file in tmp_path.glob("*/*")}
    assert {"adapter_config.json", "adapter_model.safetensors"} <= names
    run = client.model_id
    listed = tinker.RestClient(base_url=worker.url, api_key=key).list_user_checkpoints().result().checkpoints
    assert [entry.checkpoint_type for entry in listed if entry.tinker_path.startswith(f"tinker://{run}/")] == [
        "training"
    ]
