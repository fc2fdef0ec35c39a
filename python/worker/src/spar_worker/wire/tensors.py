"""Tensors of the wire as numpy arrays, from both encodings, dense or sparse by rows."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from ..errors import invalid_input
from . import messages_pb2 as pb
from .requests import TensorBody

Numbers = npt.NDArray[np.float32] | npt.NDArray[np.int64]

_dtypes: dict[int, npt.DTypeLike] = {
    pb.DTYPE_FLOAT32: np.float32,
    pb.DTYPE_INT64: np.int64,
    pb.DTYPE_INT32: np.int32,
}


@contextmanager
def refused_numbers(what: str) -> Generator[None]:
    """What numpy cannot read is the sender's fault: half a number, one that is too large, one that is none.

    Raises:
        WorkerError: `invalid-input`.
    """
    try:
        yield
    except (ValueError, OverflowError, TypeError) as error:
        raise invalid_input(f"expected {what} that can be read, got: {error}") from error


def tensor_of_message(message: pb.Tensor) -> Numbers:
    """A protobuf tensor; int32 is widened, bfloat16 too."""
    shape = list(message.shape)
    if message.HasField("sparse_csr"):
        csr = message.sparse_csr
        return _dense(
            _numbers(csr.values, message.dtype),
            shape,
            np.frombuffer(csr.crow_indices, dtype=np.int64),
            np.frombuffer(csr.col_indices, dtype=np.int64),
        )
    return _shaped(_numbers(message.dense, message.dtype), shape)


def tensor_of_json(body: TensorBody) -> Numbers:
    """A JSON tensor."""
    values: Numbers = (
        np.asarray(body.data, dtype=np.int64)
        if body.dtype == "int64"
        else np.asarray(body.data, dtype=np.float32)
    )
    if body.sparse_crow_indices is not None:
        return _dense(
            values,
            body.shape or [],
            np.asarray(body.sparse_crow_indices, dtype=np.int64),
            np.asarray(body.sparse_col_indices or [], dtype=np.int64),
        )
    return _shaped(values, body.shape)


def _numbers(data: bytes, dtype: int) -> Numbers:
    if dtype == pb.DTYPE_BFLOAT16:
        return (np.frombuffer(data, dtype=np.uint16).astype(np.uint32) << 16).view(np.float32)
    found = _dtypes.get(dtype)
    if found is None:
        raise invalid_input(f"expected a tensor of float32 or int64, got data type {dtype}")
    if len(data) % np.dtype(found).itemsize != 0:
        raise invalid_input(f"expected whole numbers of {found}, got {len(data)} bytes")
    values = np.frombuffer(data, dtype=found)
    return values.astype(np.int64) if dtype == pb.DTYPE_INT32 else values


def _shaped(values: Numbers, shape: Sequence[int] | None) -> Numbers:
    if not shape:
        return values
    if any(size < 0 for size in shape) or int(np.prod(shape)) != values.size:
        raise invalid_input(f"expected {list(shape)} numbers in a tensor, got {values.size}")
    return values.reshape(shape)


def _dense(
    values: Numbers, shape: Sequence[int], row_starts: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]
) -> Numbers:
    counts = check_sparse(len(values), shape, (row_starts, columns))
    places = np.repeat(np.arange(shape[0]), counts) * shape[1] + columns
    flat: Numbers = (
        np.zeros(shape[0] * shape[1], dtype=np.int64)
        if values.dtype == np.int64
        else np.zeros(shape[0] * shape[1], dtype=np.float32)
    )
    flat[places] = values
    return flat.reshape(shape)


def check_sparse(
    value_count: int, shape: Sequence[int], indices: tuple[npt.ArrayLike, npt.ArrayLike]
) -> npt.NDArray[np.int64]:
    """How many values each row has, of a matrix that is given by where rows begin and the columns.

    Raises:
        WorkerError: `invalid-input`.
    """
    row_starts, columns = (np.asarray(given, dtype=np.int64) for given in indices)
    if len(shape) != 2 or len(row_starts) != shape[0] + 1 or len(columns) != value_count:
        raise invalid_input(f"expected a sparse matrix with a shape and its indices, got shape {list(shape)}")
    counts = np.diff(row_starts)
    is_sound = bool((counts >= 0).all()) and int(row_starts[0]) == 0 and int(row_starts[-1]) == value_count
    if not is_sound or (columns.size and (columns.min() < 0 or columns.max() >= shape[1])):
        raise invalid_input("expected a sparse matrix whose indices lie in its shape, got others")
    return counts
