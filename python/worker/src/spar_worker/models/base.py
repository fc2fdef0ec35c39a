"""Base models: a network and a tokenizer from a folder, the adapters on it, and the copies made of it.

All adapters share one frozen network; which of them computes is switched before each pass. Only the computing
thread may touch a base.
"""

from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.nn import Parameter
from transformers import AutoModelForCausalLM, AutoTokenizer

from ..errors import WorkerError
from ..settings import Settings
from . import lora
from .lora import LoraShape
from .network import Network


class BaseModel:
    """One base model and everything that shares its weights."""

    def __init__(self, name: str, folder: Path, settings: Settings) -> None:
        self.name = name
        self.folder = folder
        self._settings = settings
        is_bfloat16 = settings.precision == "bfloat16"
        module = load_module(folder, settings, torch.bfloat16 if is_bfloat16 else torch.float32)
        module.requires_grad_(False)
        self.network = Network(module, precision=settings.precision, has_autocast=False)
        self._active: str | None = None
        self._adapter_count = 0

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer of the folder; None where it has none."""
        loader = cast("Any", AutoTokenizer)
        try:
            return loader.from_pretrained(str(self.folder), local_files_only=True)
        except (OSError, ValueError):
            return None

    @property
    def vocabulary_size(self) -> int:
        """Ids are below it."""
        return self.network.vocabulary_size

    @property
    def context_length(self) -> int:
        """The longest input, in positions."""
        config = self.network.config.get_text_config()
        return int(
            getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None) or 2**20
        )

    @property
    def hidden_size(self) -> int:
        """The width of the last hidden layer."""
        return int(self.network.config.get_text_config().hidden_size)

    @property
    def end_token_ids(self) -> tuple[int, ...]:
        """The ids at which generation ends where a request names no stop."""
        generation = getattr(self.network.module, "generation_config", None)
        found: int | list[int] | None = getattr(generation, "eos_token_id", None)
        if found is None:
            found = self.network.config.get_text_config().eos_token_id
        if found is None:
            return ()
        return (found,) if isinstance(found, int) else tuple(found)

    def add_adapter(self, shape: LoraShape, seed: int) -> tuple[str, dict[str, Parameter]]:
        """A new adapter on the shared network: its name and weights."""
        self._adapter_count += 1
        name = f"adapter{self._adapter_count}"
        parameters = lora.add_adapter(self.network.module, name, shape, seed)
        self._active = name
        return name, parameters

    def remove_adapter(self, name: str) -> None:
        """Frees an adapter."""
        lora.remove_adapter(self.network.module, name)
        self._active = None
        self.activate(None)

    def activate(self, adapter: str | None) -> None:
        """Makes one adapter compute, or none."""
        if self._adapter_count > 0 and self._active != adapter:
            lora.activate(self.network.module, adapter)
            self._active = adapter

    def load_full(self) -> Network:
        """A network of its own, all weights in float32."""
        module = load_module(self.folder, self._settings, torch.float32)
        return Network(
            module, precision=self._settings.precision, has_autocast=self._settings.precision == "bfloat16"
        )


def load_module(folder: Path, settings: Settings, dtype: torch.dtype) -> nn.Module:
    """Reads a causal language model, without dropout, ready to compute.

    Raises:
        WorkerError: `model-unreadable` where the folder holds none.
    """
    loader = cast("Any", AutoModelForCausalLM)
    try:
        module: nn.Module = loader.from_pretrained(
            str(folder), dtype=dtype, local_files_only=not settings.may_download
        )
    except (OSError, ValueError, KeyError) as exception:
        raise WorkerError(
            "model-unreadable",
            f"expected a causal language model in the hub's format in {folder}, got: {exception}",
            hint="the folder must hold config.json and safetensors",
        ) from exception
    module.to(settings.device)
    module.eval()
    if settings.has_gradient_checkpointing:
        _turn_on_checkpointing(module)
    return module


def _turn_on_checkpointing(module: nn.Module) -> None:
    """Checkpointing works in training mode alone, in which dropout must then be none."""
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        elif isinstance(getattr(part, "attention_dropout", None), float):
            cast("Any", part).attention_dropout = 0.0
    cast("Any", module).gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    module.train()
