"""Keys and values of the sequences of a batch, in which rows come and go.

All rows end at the same column; shorter ones have padding at their left, which masks hide. Space grows by
doubling, so that a step writes one column and copies nothing.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer


class GrowingLayer(DynamicLayer):
    """One layer's keys and values [B, heads, length, width], as views into larger tensors."""

    keys: Tensor
    values: Tensor
    _key_space: Tensor
    _value_space: Tensor

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Appends columns and returns all of them."""
        del args, kwargs
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.set_columns(key_states, value_states)
            return self.keys, self.values
        length = self.keys.shape[-2]
        end = length + key_states.shape[-2]
        if end > self._key_space.shape[-2]:
            self._key_space = _grown(self.keys, 2 * end)
            self._value_space = _grown(self.values, 2 * end)
        self._key_space[:, :, length:end] = key_states
        self._value_space[:, :, length:end] = value_states
        self.keys = self._key_space[:, :, :end]
        self.values = self._value_space[:, :, :end]
        return self.keys, self.values

    def set_columns(self, keys: Tensor, values: Tensor) -> None:
        """Replaces everything."""
        self._key_space = self.keys = keys
        self._value_space = self.values = values


def _grown(tensor: Tensor, length: int) -> Tensor:
    space = tensor.new_zeros((*tensor.shape[:-2], length, tensor.shape[-1]))
    space[:, :, : tensor.shape[-2]] = tensor
    return space


def new_cache() -> Cache:
    """An empty cache; layers appear as the network writes them."""
    return Cache(layer_class_to_replicate=GrowingLayer)


def layers_of(cache: Cache) -> list[GrowingLayer]:
    """The layers, all of our kind."""
    return [layer for layer in cache.layers if isinstance(layer, GrowingLayer)]


def select_rows(cache: Cache, rows: Sequence[int], *, first_column: int = 0) -> None:
    """Keeps these rows, in this order (a row may be named several times), from a column on."""
    for layer in layers_of(cache):
        index = torch.as_tensor(list(rows), device=layer.keys.device)
        layer.set_columns(
            layer.keys[:, :, first_column:].index_select(0, index),
            layer.values[:, :, first_column:].index_select(0, index),
        )


def append_rows(cache: Cache, other: Cache) -> None:
    """Puts the rows of another cache below; the shorter one is padded at its left."""
    for mine, theirs in zip(layers_of(cache), layers_of(other), strict=True):
        length = max(mine.keys.shape[-2], theirs.keys.shape[-2])
        mine.set_columns(
            torch.cat([_padded(mine.keys, length), _padded(theirs.keys, length)]),
            torch.cat([_padded(mine.values, length), _padded(theirs.values, length)]),
        )


def _padded(tensor: Tensor, length: int) -> Tensor:
    missing = length - tensor.shape[-2]
    return torch.nn.functional.pad(tensor, (0, 0, missing, 0)) if missing > 0 else tensor
