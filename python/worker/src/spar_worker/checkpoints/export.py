"""Weights in the hub's formats: an adapter as PEFT writes it, or a whole model with the adapter merged in."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, cast

import torch
from peft.tuners.lora import LoraLayer
from torch import nn
from torch.nn import Parameter

from ..models.lora import peft_config
from ..models.trained import TrainedModel, value_head_prefix
from .tensors import write_tensors

Format = Literal["peft", "merged"]


def export_model(model: TrainedModel, folder: Path, kind: Format) -> None:
    """Writes weights, configuration and tokenizer; a model without an adapter is written whole."""
    if kind == "peft" and model.tuning.lora is not None:
        _write_adapter(model, folder)
    else:
        _write_whole(model, folder)
    if model.value_head is not None:
        write_tensors(dict(model.value_head.named_parameters()), folder / "value_head.safetensors")
    if model.base.tokenizer is not None:
        model.base.tokenizer.save_pretrained(str(folder))


def _write_adapter(model: TrainedModel, folder: Path) -> None:
    assert model.tuning.lora is not None
    config = peft_config(model.network.module, model.tuning.lora)
    config.base_model_name_or_path = str(model.base.folder)
    config.inference_mode = True
    config.save_pretrained(str(folder))
    tensors = {
        f"base_model.model.{name}": parameter
        for name, parameter in model.parameters.items()
        if not name.startswith(value_head_prefix)
    }
    write_tensors(tensors, folder / "adapter_model.safetensors")


def _write_whole(model: TrainedModel, folder: Path) -> None:
    if model.tuning.lora is None:
        cast("Any", model.network.module).save_pretrained(str(folder))
        return
    module = model.base.load_full().module
    model.activate()
    plain = dict(cast("Iterable[tuple[str, nn.Module]]", module.named_modules()))
    layers = cast("Iterable[tuple[str, nn.Module]]", model.network.module.named_modules())
    adapter = model.adapter
    with torch.no_grad():
        for name, layer in layers:
            if isinstance(layer, LoraLayer) and adapter is not None and adapter in layer.lora_A:
                target = cast("nn.Linear", plain[name])
                if target is cast("Any", module).get_output_embeddings():
                    _untie(module, target)
                target.weight += cast("Any", layer).get_delta_weight(adapter).to(target.weight.dtype)
    cast("Any", module).save_pretrained(str(folder))


def _untie(module: nn.Module, unembedding: nn.Linear) -> None:
    """An unembedding that was changed is no longer the embedding."""
    config = cast("Any", module).config
    if config.get_text_config().tie_word_embeddings:
        unembedding.weight = Parameter(unembedding.weight.detach().clone())
        config.get_text_config().tie_word_embeddings = False
        config.tie_word_embeddings = False
