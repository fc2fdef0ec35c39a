"""What is in a checkpoint: trained weights, the optimizer, and the facts by which a model is made again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import WorkerError
from ..models.lora import LoraShape
from ..models.registry import Registry
from ..models.trained import TrainedModel, Tuning
from ..models.versions import Version
from .store import Checkpoint
from .tensors import read_tensors, write_tensors

weights_name = "weights.safetensors"
optimizer_name = "optimizer.safetensors"


def facts_of_model(model: TrainedModel, user_metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """By which the model is made again."""
    shape = model.tuning.lora
    return {
        "base_model": model.base.name,
        "seed": model.tuning.seed,
        "has_value_head": model.tuning.has_value_head,
        "lora": None
        if shape is None
        else {
            "rank": shape.rank,
            "alpha": shape.alpha,
            "train_attention": shape.train_attention,
            "train_mlp": shape.train_mlp,
            "train_unembedding": shape.train_unembedding,
        },
        "optimizer": model.optimizer.kind,
        "step_count": model.optimizer.step_count,
        "user_metadata": user_metadata,
    }


def tuning_of_facts(facts: Mapping[str, Any]) -> Tuning:
    """The tuning of a checkpoint."""
    shape: Mapping[str, Any] | None = facts["lora"]
    return Tuning(
        lora=None if shape is None else LoraShape(**shape),
        seed=int(facts["seed"]),
        has_value_head=bool(facts["has_value_head"]),
    )


def write_state(model: TrainedModel, folder: Path, *, has_optimizer: bool) -> None:
    """Weights, and the optimizer where training is to go on."""
    write_tensors(model.parameters, folder / weights_name)
    if has_optimizer:
        write_tensors(model.optimizer.export_state(), folder / optimizer_name)


def load_state(model: TrainedModel, checkpoint: Checkpoint, *, has_optimizer: bool) -> None:
    """Goes on from a checkpoint; without its optimizer a new one starts. Gradients are dropped.

    Raises:
        WorkerError: `state-unreadable`.
    """
    if checkpoint.facts["base_model"] != model.base.name:
        raise WorkerError(
            "state-unreadable",
            f"expected a checkpoint of {model.base.name}, got one of {checkpoint.facts['base_model']}",
        )
    weights = read_tensors(checkpoint.folder / weights_name)
    moments = read_tensors(checkpoint.folder / optimizer_name) if has_optimizer else {}
    model.load_weights(weights)
    if has_optimizer:
        model.optimizer.import_state(
            checkpoint.facts["optimizer"], int(checkpoint.facts["step_count"]), moments
        )
    else:
        model.optimizer.reset()


def read_version(registry: Registry, checkpoint: Checkpoint) -> Version:
    """A version of saved weights."""
    base = registry.base(str(checkpoint.facts["base_model"]))
    device = base.network.device
    tensors = {name: t.to(device) for name, t in read_tensors(checkpoint.folder / weights_name).items()}
    return Version(str(checkpoint.address), base, tuning_of_facts(checkpoint.facts), tensors)
