"""Token ids that a request names at places of its prompt to have them scored, dense or sparse."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import invalid_input
from ..rows import FloatArray, IntArray
from ..wire.requests import TensorBody
from ..wire.results import TensorOutput
from ..wire.tensors import check_sparse, refused_numbers, tensor_of_json


@dataclass(frozen=True)
class PromptTargets:
    """Ids [L - 1, K], row i for prompt token i + 1; -1 asks for nothing."""

    ids: IntArray
    columns: tuple[Sequence[int], Sequence[int]] | None
    """Of a sparse tensor: where rows begin, and the columns. Ids are then packed to the left of their rows."""
    shape: tuple[int, ...]
    """As the request has it."""

    @property
    def first_row(self) -> int:
        """Rows before it name nothing."""
        return int(np.argmax((self.ids >= 0).any(axis=1)))

    def answer(self, logprobs: FloatArray) -> TensorOutput:
        """Log-probabilities [L - 1, K] of the ids in the shape and layout of the request; 0 where it had -1."""
        found = np.where(self.ids >= 0, logprobs, np.float32(0)).astype(np.float32)
        if self.columns is None:
            return TensorOutput(found)
        counts = np.diff(np.asarray(self.columns[0], dtype=np.int64))
        return TensorOutput(found[_filled(counts, found.shape[1])], self.columns, self.shape)


def read_targets(body: TensorBody, prompt_length: int, most_columns: int) -> PromptTargets:
    """The tensor of a request.

    Raises:
        WorkerError: `invalid-input`, for another shape than [prompt length - 1, K], or none that names an id.
    """
    shape = tuple(body.shape or [])
    expected = f"target_prompt_logprobs of int64 and shape [{prompt_length - 1}, K]"
    if body.dtype != "int64" or len(shape) != 2 or shape[0] != prompt_length - 1:
        raise invalid_input(f"expected {expected}, got {body.dtype} and {list(shape)}")
    columns = None
    if body.sparse_crow_indices is None:
        with refused_numbers("ids in target_prompt_logprobs"):
            ids = np.asarray(tensor_of_json(body), dtype=np.int64)
    else:
        columns = (body.sparse_crow_indices, body.sparse_col_indices or [])
        with refused_numbers("ids in target_prompt_logprobs"):
            ids = _packed(np.asarray(body.data, dtype=np.int64), shape, columns)
    if ids.shape[1] > most_columns:
        raise invalid_input(f"expected at most {most_columns} ids per prompt token, got {ids.shape[1]}")
    if not (ids >= 0).any():
        raise invalid_input("expected target_prompt_logprobs with at least one id, got none")
    if ids.min() < -1:
        raise invalid_input(f"expected ids, or -1 for none, in target_prompt_logprobs, got {ids.min()}")
    return PromptTargets(ids, columns, shape)


def _packed(values: IntArray, shape: tuple[int, ...], columns: tuple[Sequence[int], Sequence[int]]) -> IntArray:
    counts = check_sparse(len(values), shape, columns)
    packed = np.full((shape[0], int(counts.max(initial=0))), -1, dtype=np.int64)
    packed[_filled(counts, packed.shape[1])] = values
    return packed


def _filled(counts: IntArray, width: int) -> npt.NDArray[np.bool_]:
    """Where values lie that are packed to the left, so many in each row: [N, width]."""
    return np.arange(width)[None, :] < counts[:, None]
