"""The official SDK as the client: it samples, scores, saves, loads, and goes on after the worker was killed."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tinker
import torch
from tinker import types

from tiny import random_rows
from worker_process import RunningWorker, key, running_worker

prompt = types.ModelInput.from_ints([1, 5, 6, 7, 8])
rows = random_rows(31, [10, 16])
batch = [
    types.Datum(
        model_input=types.ModelInput.from_ints(row.input_ids.tolist()),
        loss_fn_inputs={
            "target_tokens": types.TensorData.from_numpy(row.targets),
            "weights": types.TensorData.from_numpy(np.ones(len(row.targets), dtype=np.float32)),
        },
    )
    for row in rows
]


def parameters(**fields: Any) -> types.SamplingParams:
    given: dict[str, Any] = {"max_tokens": 10, "seed": 4, "stop": []}
    return types.SamplingParams(**(given | fields))


@pytest.fixture(scope="module")
def service(worker: RunningWorker) -> Iterator[tinker.ServiceClient]:
    client = tinker.ServiceClient(base_url=worker.url, api_key=key)
    yield client
    client.close("success").result()


def train(client: tinker.TrainingClient, steps: int) -> list[float]:
    losses: list[float] = []
    for _ in range(steps):
        passed = client.forward_backward(batch, "cross_entropy")
        client.optim_step(types.AdamParams(learning_rate=0.01)).result()
        losses.append(passed.result().metrics["loss:sum"])
    return losses


def tokens(client: tinker.SamplingClient, **fields: Any) -> list[list[int]]:
    response = client.sample(prompt, num_samples=3, sampling_params=parameters(**fields)).result()
    return [list(sequence.tokens) for sequence in response.sequences]


def test_sampling_gives_tokens_logprobs_and_the_same_again_for_the_same_seed(
    service: tinker.ServiceClient,
) -> None:
    client = service.create_sampling_client(base_model="tiny").result()
    response = client.sample(
        prompt,
        num_samples=2,
        sampling_params=parameters(),
        include_prompt_logprobs=True,
        topk_prompt_logprobs=2,
    ).result()
    for sequence in response.sequences:
        assert len(sequence.tokens) == 10
        assert sequence.logprobs is not None
        assert all(value < 0 for value in sequence.logprobs)
        assert sequence.stop_reason == "length"
    assert response.prompt_logprobs is not None
    assert response.prompt_logprobs[0] is None
    assert response.topk_prompt_logprobs is not None
    assert tokens(client) == tokens(client)
    assert tokens(client) != tokens(client, seed=5)
    reply = list(response.sequences[0].tokens)
    scored = client.compute_logprobs(types.ModelInput.from_ints([1, 5, 6, 7, 8, *reply])).result()
    expected = response.sequences[0].logprobs
    assert expected is not None
    np.testing.assert_allclose(np.array(scored[5:], dtype=np.float64), expected, atol=1e-4)


def test_named_ids_and_draws_at_places_of_the_prompt_come_back_in_their_shape(
    service: tinker.ServiceClient,
) -> None:
    client = service.create_sampling_client(base_model="tiny").result()
    ids = torch.tensor([[5, -1], [6, 7], [7, -1], [8, 9]])

    def ask(given: types.TensorData) -> types.SampleResponse:
        return client.sample(
            prompt,
            num_samples=1,
            sampling_params=parameters(max_tokens=1),
            include_prompt_logprobs=True,
            target_prompt_logprobs=given,
            prompt_alt_tokens_k=3,
        ).result()

    dense = ask(types.TensorData.from_torch(ids))
    assert dense.target_prompt_logprobs is not None
    found = dense.target_prompt_logprobs.to_torch()
    assert dense.prompt_logprobs is not None
    np.testing.assert_allclose(
        found[:, 0], np.array(dense.prompt_logprobs[1:], dtype=float), atol=1e-5
    )  # The prompt itself.
    assert found[0, 1] == 0
    columns = [0, 0, 1, 0, 0, 1]
    sparse = ask(
        types.TensorData(
            data=[5, 6, 7, 7, 8, 9],
            dtype="int64",
            shape=[4, 2],
            sparse_crow_indices=[0, 1, 3, 4, 6],
            sparse_col_indices=columns,
        )
    ).target_prompt_logprobs
    assert sparse is not None
    assert (sparse.sparse_crow_indices, sparse.sparse_col_indices) == ([0, 1, 3, 4, 6], columns)
    np.testing.assert_allclose(sparse.data, found[ids >= 0], atol=1e-5)
    assert dense.prompt_alt_tokens is not None
    assert dense.prompt_alt_tokens.tokens.to_torch().shape == (4, 3)
    assert (dense.prompt_alt_tokens.logprobs.to_torch() <= 0).all()


def test_many_requests_at_once_get_what_each_gets_alone(service: tinker.ServiceClient) -> None:
    client = service.create_sampling_client(base_model="tiny").result()
    futures = [
        client.sample(prompt, num_samples=1, sampling_params=parameters(seed=seed, max_tokens=1 + seed % 12))
        for seed in range(40)
    ]
    together = [list(future.result().sequences[0].tokens) for future in futures]
    for seed in (0, 7, 39):
        one = client.sample(
            prompt, num_samples=1, sampling_params=parameters(seed=seed, max_tokens=1 + seed % 12)
        ).result()
        assert list(one.sequences[0].tokens) == together[seed]


def test_published_weights_stay_what_they_were(service: tinker.ServiceClient) -> None:
    training = service.create_lora_training_client("tiny", rank=8, seed=1).result()
    before = training.save_weights_and_get_sampling_client().result()
    first = tokens(before)
    assert first == tokens(service.create_sampling_client(base_model="tiny").result())
    train(training, 6)
    after = training.save_weights_and_get_sampling_client().result()
    named = training.save_weights_for_sampler("after").result()
    assert tokens(before) == first
    assert tokens(after) != first
    by_path = service.create_sampling_client(model_path=named.path).result()
    assert tokens(by_path) == tokens(after)
    scored = after.compute_logprobs(types.ModelInput.from_ints([1, *rows[0].input_ids.tolist()])).result()
    assert scored[0] is None
    assert all(value is not None and math.isfinite(value) for value in scored[1:])


def test_checkpoints_are_listed_and_deleted(service: tinker.ServiceClient, worker: RunningWorker) -> None:
    training = service.create_lora_training_client("tiny", rank=2, seed=2).result()
    train(training, 1)
    saved = training.save_state("one").result()
    training.save_weights_for_sampler("two", ttl_seconds=3600).result()
    rest = tinker.RestClient(base_url=worker.url, api_key=key)
    found = rest.list_checkpoints(training.model_id).result().checkpoints
    assert [(c.checkpoint_id, c.checkpoint_type) for c in found] == [
        ("weights/one", "training"),
        ("sampler_weights/two", "sampler"),
    ]
    assert found[1].expires_at is not None
    with pytest.raises(tinker.RequestFailedError, match="expected a new name"):
        training.save_state("one").result()
    training.save_state("one", overwrite=True).result()
    rest.set_checkpoint_ttl_from_tinker_path(saved.path, 7200).result()
    rest.delete_checkpoint_from_tinker_path(saved.path).result()
    assert len(rest.list_checkpoints(training.model_id).result().checkpoints) == 1
    info = rest.get_weights_info_by_tinker_path(found[1].tinker_path).result()
    assert (info.base_model, info.lora_rank) == ("tiny", 2)
    assert rest.get_server_capabilities().result().supported_models[0].model_name == "tiny"


def test_a_killed_worker_is_resumed_from_its_state_with_equal_numbers(
    llama_folder: Path, tmp_path: Path
) -> None:
    with running_worker(llama_folder, tmp_path, "--deterministic") as first:
        service = tinker.ServiceClient(base_url=first.url, api_key=key)
        training = service.create_lora_training_client("tiny", rank=4, seed=3).result()
        train(training, 3)
        path = training.save_state("step-3").result().path
        sampler = training.save_weights_for_sampler("v3").result().path
        drawn = tokens(service.create_sampling_client(model_path=sampler).result())
        expected = train(training, 3)
        first.kill()
    with running_worker(llama_folder, tmp_path, "--deterministic") as second:
        service = tinker.ServiceClient(base_url=second.url, api_key=key)
        resumed = service.create_training_client_from_state_with_optimizer(path).result()
        assert train(resumed, 3) == expected
        assert tokens(service.create_sampling_client(model_path=sampler).result()) == drawn
        assert resumed.get_info().lora_rank == 4
        service.close("success").result()
