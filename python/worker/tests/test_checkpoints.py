"""Checkpoints: complete or absent, exact after loading, readable by transformers and PEFT."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from spar_worker.checkpoints.operations import Checkpoints
from spar_worker.checkpoints.store import CheckpointStore, make_address, parse_address
from spar_worker.errors import WorkerError
from spar_worker.models.lora import LoraShape
from spar_worker.models.registry import Registry
from spar_worker.models.trained import TrainedModel, Tuning
from spar_worker.rows import FloatArray
from spar_worker.training.losses import Loss
from spar_worker.training.optimizers import OptimizerSettings
from spar_worker.training.passes import forward, forward_backward
from spar_worker.wire.requests import SaveWeights
from tiny import random_rows, settings_for

rows = random_rows(21, [9, 14, 5])
tunings = {
    "lora": Tuning(LoraShape(4), seed=5),
    "full": Tuning(None),
    "value": Tuning(LoraShape(2, train_mlp=False), seed=1, has_value_head=True),
}


def checkpoints_for(folder: Path, state: Path) -> Checkpoints:
    return Checkpoints(CheckpointStore(state), Registry(settings_for(folder, state)))


def trained(checkpoints: Checkpoints, tuning: Tuning, steps: int = 2) -> TrainedModel:
    model = checkpoints.registry.create("run:train:0", checkpoints.registry.base("tiny"), tuning)
    return train(model, steps)


def train(model: TrainedModel, steps: int) -> TrainedModel:
    for _ in range(steps):
        forward_backward(model, rows, Loss("cross_entropy"), token_budget=64)
        model.optimizer.step(OptimizerSettings("adamw", learning_rate=0.01))
    return model


def logprobs(model: TrainedModel) -> list[FloatArray]:
    return forward(model, rows, token_budget=64).outputs["logprobs"]


def save(name: str, **fields: Any) -> SaveWeights:
    return SaveWeights.model_validate({"model_id": "run:train:0", "path": name, **fields})


@pytest.mark.parametrize("kind", tunings)
def test_a_resumed_model_goes_on_bit_by_bit(llama_folder: Path, tmp_path: Path, kind: str) -> None:
    before = checkpoints_for(llama_folder, tmp_path)
    model = trained(before, tunings[kind])
    path = str(before.save(save("step-2"), "weights").address)
    assert path == "tinker://run:train:0/weights/step-2"
    train(model, 3)
    after = checkpoints_for(llama_folder, tmp_path)  # As after the end of the process.
    resumed = train(after.create("other:train:0", path, has_optimizer=True), 3)
    assert resumed.optimizer.step_count == 5
    for name, tensor in model.snapshot().items():
        assert torch.equal(tensor, resumed.snapshot()[name]), name
    fresh = train(after.create("third:train:0", path, has_optimizer=False), 3)
    assert fresh.optimizer.step_count == 3
    assert any(not torch.equal(t, fresh.snapshot()[name]) for name, t in model.snapshot().items())


def test_loading_drops_gradients_and_refuses_what_does_not_fit(llama_folder: Path, tmp_path: Path) -> None:
    checkpoints = checkpoints_for(llama_folder, tmp_path)
    model = trained(checkpoints, tunings["lora"])
    path = str(checkpoints.save(save("a"), "weights").address)
    expected = logprobs(model)
    train(model, 1)
    forward_backward(model, rows, Loss("cross_entropy"), token_budget=64)
    checkpoints.load("run:train:0", path, has_optimizer=True)
    np.testing.assert_array_equal(logprobs(model)[0], expected[0])
    with pytest.raises(WorkerError, match="expected gradients"):
        model.optimizer.step(OptimizerSettings("adamw", learning_rate=0.01))
    checkpoints.registry.create("wide:train:0", model.base, Tuning(LoraShape(8)))
    with pytest.raises(WorkerError) as refusal:
        checkpoints.load("wide:train:0", path, has_optimizer=True)
    assert refusal.value.code == "state-unreadable"
    sampler = str(checkpoints.save(save("s"), "sampler_weights").address)
    with pytest.raises(WorkerError, match="can be trained on"):
        checkpoints.load("run:train:0", sampler, has_optimizer=False)
    (tmp_path / "run%3Atrain%3A0" / "weights" / "a" / "weights.safetensors").write_bytes(b"broken")
    with pytest.raises(WorkerError) as refusal:
        checkpoints.load("run:train:0", path, has_optimizer=True)
    assert refusal.value.code == "state-unreadable"
    np.testing.assert_array_equal(logprobs(model)[0], expected[0])


def test_a_checkpoint_is_complete_or_absent(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    address = make_address("run", "weights", "a")

    def break_down(folder: Path) -> None:
        (folder / "weights.safetensors").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.write(address, {}, break_down)
    assert store.list() == []
    store.write(address, {"n": 1}, lambda _: None)
    with pytest.raises(WorkerError) as refusal:
        store.write(address, {}, lambda _: None)
    assert refusal.value.code == "checkpoint-exists"
    with pytest.raises(OSError, match="disk full"):
        store.write(address, {}, break_down, is_overwriting=True)
    assert store.read(address).facts["n"] == 1
    store.write(address, {"n": 2}, lambda _: None, is_overwriting=True)
    assert [c.facts["n"] for c in store.list("run")] == [2]
    assert store.list("other") == []
    store.set_time_to_live(address, 100)
    assert store.list()[0].as_json()["expires_at"] is not None
    store.set_time_to_live(address, -1)
    with pytest.raises(WorkerError) as refusal:
        store.read(address)
    assert refusal.value.code == "checkpoint-unknown"
    store.purge()
    assert not list((tmp_path / "run" / "weights").iterdir())


def test_names_that_leave_the_folder_are_refused() -> None:
    for text in (
        "tinker://run/weights/..",
        "tinker://run/weights/a/b",
        "run/weights/a",
        "tinker://r/x/a",
        "tinker://r/weights/.a",
    ):
        with pytest.raises(WorkerError):
            parse_address(text)
    assert str(parse_address("tinker://r:train:0/weights/a-1")) == "tinker://r:train:0/weights/a-1"


@pytest.mark.parametrize("which", ["llama_folder", "tied_folder"])
@pytest.mark.parametrize("kind", ["lora", "full"])
def test_exports_give_the_same_numbers_in_transformers_and_peft(
    request: pytest.FixtureRequest, tmp_path: Path, which: str, kind: str
) -> None:
    folder = cast("Path", request.getfixturevalue(which))
    checkpoints = checkpoints_for(folder, tmp_path)
    model = trained(checkpoints, tunings[kind], steps=3)
    expected = logprobs(model)
    loader = cast("Any", AutoModelForCausalLM)

    def check(loaded: Any) -> None:
        for row, found in zip(rows, expected, strict=True):
            with torch.no_grad():
                scores = loaded(torch.from_numpy(row.input_ids)[None]).logits[0].log_softmax(-1)
            own = scores.gather(-1, torch.from_numpy(row.targets)[:, None])[:, 0].numpy()
            np.testing.assert_allclose(own, found, atol=1e-4)

    merged = checkpoints.save(save("merged", spar={"format": "merged"}), "external_weights")
    check(loader.from_pretrained(str(merged.folder)))
    assert cast("Any", AutoTokenizer).from_pretrained(str(merged.folder)).eos_token == "</s>"
    np.testing.assert_array_equal(logprobs(model)[0], expected[0])
    if kind == "lora":
        adapter = checkpoints.save(save("peft"), "external_weights")
        plain = loader.from_pretrained(str(folder))
        check(PeftModel.from_pretrained(plain, str(adapter.folder)))


def test_versions_are_read_from_disk_when_they_are_not_in_memory(llama_folder: Path, tmp_path: Path) -> None:
    before = checkpoints_for(llama_folder, tmp_path)
    model = trained(before, tunings["full"])
    path = str(before.save(save("v"), "sampler_weights").address)
    assert before.version(path) is before.version(path)
    version = checkpoints_for(llama_folder, tmp_path).version(path)
    assert version.tensors is not None
    assert all(torch.equal(version.tensors[name], t) for name, t in model.snapshot().items())


def fill(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "content").write_text(text)

    return write


def test_an_overwriting_that_breaks_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, address = CheckpointStore(tmp_path), make_address("run:train:0", "weights", "a")
    place = store.write(address, {}, fill("old")).folder
    rename = Path.rename

    def breaks(self: Path, target: Path) -> Path:
        if self.name.endswith(".partial"):
            raise OSError("no room")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", breaks)
    with pytest.raises(OSError, match="no room"):
        store.write(address, {}, fill("new"), is_overwriting=True)
    monkeypatch.undo()
    assert (place / "content").read_text() == "old"
    assert [entry.name for entry in place.parent.iterdir()] == ["a"]
    # And one that was killed between the two: the next store finds the old one again.
    place.rename(place.parent / f".a.{'0' * 32}.old")
    assert CheckpointStore(tmp_path).read(address).folder == place
    assert (place / "content").read_text() == "old"


def test_what_killed_workers_left_goes_when_it_is_old(tmp_path: Path) -> None:
    place = CheckpointStore(tmp_path).write(make_address("run:train:0", "weights", "a"), {}, fill("x")).folder
    left = [place.parent / f".{name}.{'0' * 32}.{what}" for name, what in (("b", "partial"), ("a", "gone"))]
    for folder in left:
        folder.mkdir()
    CheckpointStore(tmp_path)
    assert all(folder.exists() for folder in left)  # Somebody may be writing it.
    for folder in left:
        os.utime(folder, (0, 0))
    CheckpointStore(tmp_path)
    assert not any(folder.exists() for folder in left)
    assert place.exists()


def test_one_that_cannot_be_read_hides_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = CheckpointStore(tmp_path)
    for name in ("a", "b", "c"):
        store.write(
            make_address("run:train:0", "weights", name),
            {},
            fill(name),
            time_to_live_s=0 if name == "c" else None,
        )
    damaged = store.read(make_address("run:train:0", "weights", "a")).folder / "checkpoint.json"
    damaged.write_text("{")
    time.sleep(0.01)
    store.purge()
    store.purge()
    assert [checkpoint.address.name for checkpoint in store.list()] == ["b"]
    assert len([record for record in caplog.records if str(damaged) in record.getMessage()]) == 1
    assert sorted(entry.name for entry in damaged.parent.parent.iterdir()) == ["a", "b"]


def test_a_model_that_is_alive_is_not_made_once_more(llama_folder: Path, tmp_path: Path) -> None:
    checkpoints = checkpoints_for(llama_folder, tmp_path)
    model = trained(checkpoints, tunings["lora"])
    with pytest.raises(WorkerError) as caught:
        trained(checkpoints, tunings["lora"])
    assert caught.value.code == "number-taken"
    assert checkpoints.registry.model("run:train:0") is model
