"""Training rows as the computing half of the worker sees them: arrays, checked, free of any encoding."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .errors import invalid_input

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One training row. T positions go in; per-token arrays have T entries, or [T, K] for K targets each."""

    input_ids: IntArray
    targets: IntArray
    weights: FloatArray | None = None
    """Left out: ones."""
    advantages: FloatArray | None = None
    behavior_logprobs: FloatArray | None = None
    gradients: dict[str, FloatArray] = field(default_factory=dict[str, FloatArray])
    """For a graph that waits: the derivative of the caller's loss by each output, by the output's name."""

    @property
    def position_count(self) -> int:
        """T."""
        return len(self.input_ids)


def check_row(row: Row, index: int, *, vocabulary_size: int, context_length: int) -> None:
    """Refuses a row that the model cannot compute.

    Raises:
        WorkerError: `invalid-input`, which names the row, what was expected and what came.
    """
    count = row.position_count
    if count == 0:
        raise invalid_input(f"row {index}: expected at least one position, got an empty input")
    if count > context_length:
        raise invalid_input(
            f"row {index}: expected at most {context_length} positions (the context of the model), got {count}",
            "cut the input, or use a model with a longer context",
        )
    for name, ids in (("token ids", row.input_ids), ("targets", row.targets)):
        if ids.size and (ids.min() < 0 or ids.max() >= vocabulary_size):
            wrong = int(ids[(ids < 0) | (ids >= vocabulary_size)].flat[0])
            raise invalid_input(f"row {index}: expected {name} in 0 .. {vocabulary_size - 1}, got {wrong}")
    if row.targets.ndim not in (1, 2) or len(row.targets) != count:
        raise invalid_input(
            f"row {index}: expected {count} targets, one per position, got shape {list(row.targets.shape)}"
        )
    for name in ("weights", "advantages", "behavior_logprobs"):
        values: FloatArray | None = getattr(row, name)
        if values is None:
            continue
        if values.shape != row.targets.shape:
            raise invalid_input(
                f"row {index}: expected {name} of shape {list(row.targets.shape)} as the targets, "
                f"got {list(values.shape)}"
            )
        if not np.isfinite(values).all():
            raise invalid_input(
                f"row {index}: expected finite {name}, got {values[~np.isfinite(values)].flat[0]}"
            )
