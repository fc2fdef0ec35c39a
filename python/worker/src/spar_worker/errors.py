"""What may go wrong, in the words of the wire.

Everything that a caller can do something about is a `WorkerError` with a stable code. `failure_of` turns any
exception into the plain fields that travel, the traceback among them.
"""

import traceback
from dataclasses import dataclass
from typing import Literal

import torch

Category = Literal["user", "server"]


class WorkerError(Exception):
    """A failure with a stable kebab-case code; `category` says whose it is: user errors are never retried."""

    def __init__(
        self, code: str, message: str, *, category: Category = "user", hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.category: Category = category
        self.hint = hint


def invalid_input(message: str, hint: str | None = None) -> WorkerError:
    """The refusal of what a caller sent: says what was expected and what came."""
    return WorkerError("invalid-input", message, hint=hint)


@dataclass(frozen=True)
class Failure:
    """An exception as plain fields."""

    code: str
    category: Category
    message: str
    hint: str | None
    traceback: str

    def as_json(self) -> dict[str, object]:
        """The result of a request that failed; official clients read `error` and `category`."""
        return {
            "error": self.message,
            "category": self.category,
            "code": self.code,
            "hint": self.hint,
            "traceback": self.traceback,
        }


def failure_of(exception: BaseException) -> Failure:
    """Classifies any exception; memory that ran out is recognised on CPU and GPU."""
    trace = "".join(traceback.format_exception(exception))
    if isinstance(exception, WorkerError):
        return Failure(exception.code, exception.category, str(exception), exception.hint, trace)
    if is_out_of_memory(exception):
        hint = "send smaller batches or shorter rows, or start the worker with a smaller --token-budget"
        return Failure("memory-exhausted", "server", f"out of memory: {exception}", hint, trace)
    message = f"{type(exception).__name__}: {exception}"
    return Failure("worker-failed", "server", message, None, trace)


def is_out_of_memory(exception: BaseException) -> bool:
    """True where an allocation failed, whatever the device."""
    if isinstance(exception, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(exception, RuntimeError) and "allocate memory" in str(exception)
