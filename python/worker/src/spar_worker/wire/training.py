"""Bodies of forward and forward_backward as training rows, from both encodings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from google.protobuf.message import DecodeError

from ..errors import WorkerError, invalid_input
from ..rows import FloatArray, IntArray, Row
from . import messages_pb2 as pb
from .requests import ChunkBody, DatumBody, PassBody
from .tensors import Numbers, refused_numbers, tensor_of_json, tensor_of_message

gradient_names = ("logprobs", "entropies", "values")


@dataclass(frozen=True)
class PassRequest:
    """A pass, whatever its encoding."""

    model_id: str
    seq_id: int | None
    rows: list[Row]
    loss_name: str
    numbers: dict[str, float]
    """Settings of the loss."""
    is_forward_only: bool


def pass_of_message(body: bytes) -> PassRequest:
    """Reads a protobuf body.

    Raises:
        WorkerError: `invalid-input`.
    """
    message = pb.ForwardBackwardRequest()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise invalid_input(f"expected a ForwardBackwardRequest in protobuf, got: {error}") from error
    numbers = {**dict(message.loss_fn_config)}
    for name, value in message.loss_fn_config_v2.items():
        if value.WhichOneof("value") == "number":
            numbers[name] = value.number
    is_backward = message.loss_fn == "spar_backward"
    return PassRequest(
        model_id=message.model_id,
        seq_id=message.seq_id or None,
        rows=_rows(_row_of_message, message.data, is_backward),
        loss_name=message.loss_fn,
        numbers=numbers,
        is_forward_only=message.forward_only,
    )


def pass_of_json(model_id: str, seq_id: int | None, body: PassBody, *, is_forward_only: bool) -> PassRequest:
    """Takes a JSON body.

    Raises:
        WorkerError: `invalid-input`.
    """
    config = body.loss_fn_config or {}
    is_backward = body.loss_fn == "spar_backward"
    return PassRequest(
        model_id=model_id,
        seq_id=seq_id,
        rows=_rows(_row_of_json, body.data, is_backward),
        loss_name=body.loss_fn,
        numbers={name: float(value) for name, value in config.items() if not isinstance(value, str)},
        is_forward_only=is_forward_only,
    )


def ids_of_chunks(chunks: Iterable[ChunkBody]) -> IntArray:
    """Token ids of JSON chunks.

    Raises:
        WorkerError: `capability-missing` for images; `invalid-input` for ids that no int64 holds.
    """
    ids: list[int] = []
    for chunk in chunks:
        if chunk.tokens is None:
            raise _no_chunk(chunk.type)
        ids.extend(chunk.tokens)
    with refused_numbers("token ids"):
        return np.asarray(ids, dtype=np.int64)


Given = TypeVar("Given")


def _rows(read: Callable[[int, Given, bool], Row], data: Iterable[Given], is_backward: bool) -> list[Row]:
    rows: list[Row] = []
    for index, datum in enumerate(data):
        with refused_numbers(f"the numbers of row {index}"):
            rows.append(read(index, datum, is_backward))
    return rows


def _no_chunk(kind: str) -> WorkerError:
    return WorkerError("capability-missing", f"expected chunks of token ids, got one of type {kind}")


def _row_of_message(index: int, datum: pb.Datum, is_backward: bool) -> Row:
    parts: list[IntArray] = []
    for chunk in datum.model_input:
        if chunk.WhichOneof("chunk") != "encoded_text":
            raise _no_chunk(str(chunk.WhichOneof("chunk")))
        parts.append(np.frombuffer(chunk.encoded_text.tokens, dtype=np.int32).astype(np.int64))
    ids = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    tensors = {name: tensor_of_message(tensor) for name, tensor in datum.loss_fn_inputs.items()}
    return _row(index, ids, tensors, is_backward)


def _row_of_json(index: int, datum: DatumBody, is_backward: bool) -> Row:
    tensors = {name: tensor_of_json(tensor) for name, tensor in datum.loss_fn_inputs.items()}
    return _row(index, ids_of_chunks(datum.model_input.chunks), tensors, is_backward)


def _row(index: int, ids: IntArray, tensors: Mapping[str, Numbers], is_backward: bool) -> Row:
    def floats(name: str) -> FloatArray | None:
        found = tensors.get(name)
        return None if found is None else np.array(found, dtype=np.float32)

    if is_backward:
        gradients = {name: floats(name) for name in gradient_names}
        return Row(
            ids, ids, gradients={name: values for name, values in gradients.items() if values is not None}
        )
    targets = tensors.get("target_tokens")
    if targets is None:
        raise invalid_input(f"row {index}: expected target_tokens, got {sorted(tensors)}")
    return Row(
        input_ids=ids,
        targets=np.array(targets, dtype=np.int64),
        weights=floats("weights"),
        advantages=floats("advantages"),
        behavior_logprobs=floats("logprobs"),
    )
