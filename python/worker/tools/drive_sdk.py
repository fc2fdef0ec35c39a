"""Drives a worker with whatever `tinker` SDK is installed: `drive_sdk.py URL KEY MODEL`.

Trains, scores, samples, saves, loads, lists and downloads, and ends with an error where something is not as it
must be. For versions that the tests do not run with: older ones return clients where newer ones return futures.
"""

import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import tinker
import torch
from tinker import types


def settled(found: Any) -> Any:
    """What a future holds, or what is no future."""
    return found.result() if hasattr(found, "result") else found


def batch() -> list[types.Datum]:
    """Two rows to learn by heart."""
    rows = [list(range(5, 21)), list(range(30, 12, -1))]
    return [
        types.Datum(
            model_input=types.ModelInput.from_ints(ids[:-1]),
            loss_fn_inputs=cast(
                "Any",
                {
                    "target_tokens": types.TensorData(data=ids[1:], dtype="int64", shape=[len(ids) - 1]),
                    "weights": types.TensorData(
                        data=[1.0] * (len(ids) - 1), dtype="float32", shape=[len(ids) - 1]
                    ),
                },
            ),
        )
        for ids in rows
    ]


def custom(_: list[types.Datum], logprobs: list[torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
    """Cross entropy again, as a loss of the caller's own."""
    loss = -torch.stack([row.sum() for row in logprobs]).sum()
    return loss, {"custom": loss.item()}


def train(client: Any, steps: int) -> list[float]:
    """Losses before each step."""
    losses: list[float] = []
    for _ in range(steps):
        passed = settled(client.forward_backward(batch(), "cross_entropy"))
        settled(client.optim_step(types.AdamParams(learning_rate=0.01)))
        losses.append(float(passed.metrics["loss:sum"]))
    return losses


def download(url: str, key: str, path: str, folder: Path) -> set[str]:
    """Names of the files that the command of this version downloads: an archive, or the files of an export."""
    command = [sys.executable, "-m", "tinker.cli", "checkpoint", "download", path, "--output", str(folder)]
    environment = os.environ | {"TINKER_BASE_URL": url, "TINKER_API_KEY": key}
    subprocess.run(command, env=environment, check=True, timeout=600, stdout=subprocess.DEVNULL)  # noqa: S603 - the SDK
    return {file.name for file in folder.glob("*/*")}


def expect(is_so: bool, what: str) -> None:
    """Says what holds, or ends the program."""
    if not is_so:
        sys.exit(f"expected {what}")
    sys.stdout.write(f"{what}\n")


def main() -> None:
    """The whole tour."""
    url, key, model = sys.argv[1:4]
    sys.stdout.write(f"tinker {tinker.__version__}\n")
    service = tinker.ServiceClient(base_url=url, api_key=key)
    training = settled(service.create_lora_training_client(model, rank=8, seed=1))
    losses = train(training, 8)
    expect(losses[-1] < losses[0], "the loss falls")
    own = settled(training.forward_backward_custom(batch(), custom))
    settled(training.optim_step(types.AdamParams(learning_rate=0.01)))
    expect(own.metrics["custom"] < losses[-1], "a custom loss goes on from there")
    saved = settled(training.save_state("tour")).path
    expected = train(training, 2)
    settled(training.load_state_with_optimizer(saved))
    found = train(training, 2)
    expect(
        all(math.isclose(a, b, rel_tol=1e-4) for a, b in zip(expected, found, strict=True)), "a state is loaded"
    )
    sampler = settled(training.save_weights_and_get_sampling_client())
    prompt = types.ModelInput.from_ints([5, 6, 7])
    parameters = types.SamplingParams(max_tokens=6, seed=1, temperature=1.0)
    answers = [settled(sampler.sample(prompt, 2, parameters)).sequences for _ in range(2)]
    expect(
        [s.tokens for s in answers[0]] == [s.tokens for s in answers[1]], "a seed gives the same replies again"
    )
    scores = settled(sampler.compute_logprobs(types.ModelInput.from_ints([5, 6, 7, *answers[0][0].tokens])))
    own_scores = answers[0][0].logprobs
    expect(
        own_scores is not None and all(abs(a - b) < 1e-3 for a, b in zip(scores[3:], own_scores, strict=True)),
        "prompts are scored as replies were",
    )
    settled(training.save_weights_for_sampler("tour"))
    listed = settled(cast("Any", service).create_rest_client().list_checkpoints(training.model_id)).checkpoints
    expect(len(listed) >= 2, "checkpoints are listed")
    with tempfile.TemporaryDirectory() as folder:
        names = download(url, key, saved, Path(folder))
    expect(
        {"adapter_config.json", "adapter_model.safetensors"} <= names,
        "a checkpoint is downloaded as an adapter",
    )


if __name__ == "__main__":
    main()
