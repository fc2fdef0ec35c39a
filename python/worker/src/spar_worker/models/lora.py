"""Low-rank adapters: which modules carry them, and how one is added to a network and found again."""

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn
from torch.nn import Parameter
from transformers.pytorch_utils import Conv1D

from ..errors import invalid_input

default_alpha = 32.0
"""What the hosted service uses: the wire has no field for it, ours has an extension."""


@dataclass(frozen=True)
class LoraShape:
    """What an adapter is made of; adapters of equal shape are interchangeable."""

    rank: int
    alpha: float = default_alpha
    """The update is scaled by alpha / rank."""
    train_attention: bool = True
    train_mlp: bool = True
    train_unembedding: bool = True

    def check(self) -> None:
        """Raises `invalid-input` for a shape without meaning."""
        if self.rank < 1:
            raise invalid_input(f"expected a LoRA rank of at least 1, got {self.rank}")
        if not (math.isfinite(self.alpha) and self.alpha > 0):
            raise invalid_input(f"expected a LoRA alpha above 0, got {self.alpha}")
        if not (self.train_attention or self.train_mlp or self.train_unembedding):
            raise invalid_input("expected attention, MLP or unembedding to be trained, got none of them")


def target_modules(module: nn.Module, shape: LoraShape) -> list[str]:
    """Full names of the linear layers that carry an adapter of this shape."""
    unembedding = cast("Any", module).get_output_embeddings()
    names: list[str] = []
    parts = cast("Iterable[tuple[str, nn.Module]]", module.named_modules())
    for name, part in parts:
        layer = cast("object", part.get_base_layer()) if isinstance(part, BaseTunerLayer) else part
        if not isinstance(layer, nn.Linear | Conv1D) or _is_inside_adapter(name):
            continue
        if part is unembedding:
            is_wanted = shape.train_unembedding
        elif any("attn" in word or "attention" in word for word in name.lower().split(".")):
            is_wanted = shape.train_attention
        else:
            is_wanted = shape.train_mlp
        if is_wanted:
            names.append(name)
    return names


def _is_inside_adapter(name: str) -> bool:
    return any(word in ("base_layer", "lora_A", "lora_B") for word in name.split("."))


def peft_config(module: nn.Module, shape: LoraShape) -> LoraConfig:
    """The shape in PEFT's words."""
    return LoraConfig(
        r=shape.rank,
        lora_alpha=cast("int", shape.alpha),
        lora_dropout=0.0,
        bias="none",
        target_modules=target_modules(module, shape),
        task_type="CAUSAL_LM",
    )


def add_adapter(module: nn.Module, name: str, shape: LoraShape, seed: int) -> dict[str, Parameter]:
    """Adds an adapter, its weights in float32 and drawn from `seed`, and returns them by name.

    Names do not contain the adapter's own, so that weights move between adapters of equal shape.
    """
    shape.check()
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Already found a `peft_config`")  # Several are meant.
        torch.manual_seed(seed)
        warnings.filterwarnings("ignore", message="Model has `tie_word_embeddings=True`")  # Export unties them.
        inject_adapter_in_model(peft_config(module, shape), module, name)
    activate(module, name)
    parameters = adapter_parameters(module, name)
    for parameter in parameters.values():
        parameter.data = parameter.data.float()
    return parameters


def adapter_parameters(module: nn.Module, name: str) -> dict[str, Parameter]:
    """The weights of an adapter by names without the adapter's own."""
    return {
        parameter_name.replace(f".{name}.", "."): parameter
        for parameter_name, parameter in module.named_parameters()
        if f".{name}." in parameter_name
    }


def remove_adapter(module: nn.Module, name: str) -> None:
    """Frees an adapter."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Adapter .* was active")  # Nothing is, between two passes.
        for part in module.modules():
            if isinstance(part, BaseTunerLayer):
                part.delete_adapter(name)
    configs: dict[str, object] = getattr(module, "peft_config", {})
    configs.pop(name, None)


def activate(module: nn.Module, name: str | None) -> None:
    """Makes one adapter compute, or none."""
    for part in module.modules():
        if isinstance(part, BaseTunerLayer):
            if name is None:
                part.enable_adapters(False)
            else:
                part.enable_adapters(True)
                part.set_adapter(name)
