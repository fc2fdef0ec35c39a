"""Tensors by name in safetensors files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from safetensors import SafetensorError
from safetensors import torch as safetensors_torch
from torch import Tensor

from ..errors import WorkerError


def write_tensors(tensors: Mapping[str, Tensor], file: Path) -> None:
    """Writes tensors, wherever they lie; they may share memory."""
    plain = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    cast("Any", safetensors_torch).save_file(plain, str(file), metadata={"format": "pt"})


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Reads them back, onto the CPU.

    Raises:
        WorkerError: `state-unreadable`.
    """
    try:
        return cast("dict[str, Tensor]", cast("Any", safetensors_torch).load_file(str(file)))
    except (OSError, SafetensorError) as error:
        message = f"expected {file.name} in the checkpoint {file.parent.name}, got: {error}"
        raise WorkerError("state-unreadable", message) from error
