"""Results as the wire encodes them: passes and samples in protobuf or JSON, everything else in JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..rows import FloatArray, IntArray
from . import messages_pb2 as pb


@dataclass(frozen=True)
class JsonResult:
    """A result of few fields."""

    fields: Mapping[str, object]


@dataclass(frozen=True)
class PassOutput:
    """The result of a pass: arrays per row by name, and metrics whose names say how chunks combine."""

    outputs: Mapping[str, Sequence[FloatArray]]
    metrics: Mapping[str, float]
    row_count: int


no_logprob = -99999.0
"""What stands in an empty cell of top-k log-probabilities."""

TopkOutput = tuple[IntArray, FloatArray]
"""Ids and log-probabilities [T, k]; empty cells have id 0 and `no_logprob`."""


@dataclass(frozen=True)
class TensorOutput:
    """A tensor that keeps its layout."""

    values: FloatArray | IntArray
    """Of a sparse one those that it has, in order."""
    indices: tuple[Sequence[int], Sequence[int]] | None = None
    """Of a sparse one: where rows begin, and the columns."""
    sparse_shape: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole tensor."""
        return self.values.shape if self.indices is None else self.sparse_shape


@dataclass(frozen=True)
class SequenceOutput:
    """One sampled reply; its log-probabilities are the model's own."""

    token_ids: Sequence[int]
    logprobs: FloatArray
    finish_reason: Literal["stop", "length"]
    topk: "TopkOutput | None" = None


@dataclass(frozen=True)
class SampleOutput:
    """The result of a sample request."""

    sequences: Sequence[SequenceOutput]
    prompt_logprobs: FloatArray | None
    """One per prompt token, NaN where there is none."""
    topk_prompt: "TopkOutput | None" = None
    target_prompt: TensorOutput | None = None
    """Log-probabilities of the ids that the request named."""
    prompt_draws: tuple[TensorOutput, TensorOutput] | None = None
    """Ids and log-probabilities [L - 1, K] that were drawn at each place of the prompt."""


Result = JsonResult | PassOutput | SampleOutput


def encode_message(result: PassOutput | SampleOutput) -> bytes:
    """A result in protobuf."""
    if isinstance(result, PassOutput):
        return _pass_message(result).SerializeToString()
    return _sample_message(result).SerializeToString()


def encode_json(result: Result) -> Mapping[str, object]:
    """A result in JSON."""
    if isinstance(result, JsonResult):
        return result.fields
    if isinstance(result, PassOutput):
        rows = [
            {name: _tensor_json(values[index]) for name, values in result.outputs.items()}
            for index in range(result.row_count)
        ]
        return {
            "loss_fn_output_type": "ArrayRecord",
            "loss_fn_outputs": rows,
            "metrics": dict(result.metrics),
        }
    sequences = [
        {
            "stop_reason": s.finish_reason,
            "tokens": list(s.token_ids),
            "logprobs": s.logprobs.tolist(),
            **({} if s.topk is None else {"topk_logprobs": _topk_json(s.topk)}),
        }
        for s in result.sequences
    ]
    prompt = None if result.prompt_logprobs is None else _nullable(result.prompt_logprobs)
    topk = {} if result.topk_prompt is None else {"topk_prompt_logprobs": _topk_json(result.topk_prompt)}
    more: dict[str, object] = {}
    if result.target_prompt is not None:
        more["target_prompt_logprobs"] = _whole_tensor_json(result.target_prompt)
    if result.prompt_draws is not None:
        tokens, logprobs = (_whole_tensor_json(tensor) for tensor in result.prompt_draws)
        more["prompt_alt_tokens"] = {"tokens": tokens, "logprobs": logprobs}
    return {"type": "sample", "sequences": sequences, "prompt_logprobs": prompt, **topk, **more}


def _topk_json(topk: TopkOutput) -> list[list[tuple[int, float]] | None]:
    """Pairs per position, null where nothing was scored."""
    return [
        [(int(i), float(v)) for i, v in zip(ids, values, strict=True) if v > no_logprob] or None
        for ids, values in zip(*topk, strict=True)
    ]


def _tensor_json(values: FloatArray) -> dict[str, object]:
    return {"data": values.ravel().tolist(), "dtype": "float32", "shape": list(values.shape)}


def _whole_tensor_json(tensor: TensorOutput) -> dict[str, object]:
    dtype = "int64" if tensor.values.dtype == np.int64 else "float32"
    fields: dict[str, object] = {
        "data": tensor.values.ravel().tolist(),
        "dtype": dtype,
        "shape": list(tensor.shape),
    }
    if tensor.indices is not None:
        fields |= {
            "sparse_crow_indices": list(tensor.indices[0]),
            "sparse_col_indices": list(tensor.indices[1]),
        }
    return fields


def _nullable(values: FloatArray) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def _pass_message(result: PassOutput) -> pb.ForwardBackwardOutput:
    message = pb.ForwardBackwardOutput(loss_fn_output_type="ArrayRecord")
    message.metrics.update(result.metrics)
    # A record holds arrays of one trailing shape; rows with several targets each may differ in it.
    start = 0
    while start < result.row_count:
        shapes = {name: values[start].shape[1:] for name, values in result.outputs.items()}
        end = start + 1
        while end < result.row_count and all(
            values[end].shape[1:] == shapes[name] for name, values in result.outputs.items()
        ):
            end += 1
        record = message.loss_fn_outputs.add(type_tag="ArrayRecord", num_datums=end - start)
        for name, values in result.outputs.items():
            part = [np.ascontiguousarray(array, dtype=np.float32) for array in values[start:end]]
            field = record.fields[name]
            field.data = b"".join(array.tobytes() for array in part)
            field.offsets = np.cumsum([0, *(array.nbytes for array in part)], dtype=np.int64).tobytes()
            field.dtype = pb.DTYPE_FLOAT32
            field.trailing_shape.extend(shapes[name])
        start = end
    return message


def _sample_message(result: SampleOutput) -> pb.SampleResponse:
    message = pb.SampleResponse()
    for sequence in result.sequences:
        added = message.sequences.add(
            stop_reason=pb.STOP_REASON_STOP if sequence.finish_reason == "stop" else pb.STOP_REASON_LENGTH,
            tokens=np.asarray(sequence.token_ids, dtype=np.int32).tobytes(),
            logprobs=np.asarray(sequence.logprobs, dtype=np.float32).tobytes(),
        )
        if sequence.topk is not None:
            _fill_topk(added.topk_sampled_logprobs, sequence.topk)
    if result.prompt_logprobs is not None:
        message.prompt_logprobs = np.asarray(result.prompt_logprobs, dtype=np.float32).tobytes()
    if result.topk_prompt is not None:
        _fill_topk(message.topk_prompt_logprobs, result.topk_prompt)
    if result.target_prompt is not None:
        _fill_tensor(message.target_prompt_logprobs, result.target_prompt)
    if result.prompt_draws is not None:
        _fill_tensor(message.prompt_alt_tokens.tokens, result.prompt_draws[0])
        _fill_tensor(message.prompt_alt_tokens.logprobs, result.prompt_draws[1])
    return message


def _fill_tensor(message: pb.Tensor, tensor: TensorOutput) -> None:
    message.dtype = pb.DTYPE_INT64 if tensor.values.dtype == np.int64 else pb.DTYPE_FLOAT32
    message.shape.extend(tensor.shape)
    if tensor.indices is None:
        message.dense = tensor.values.tobytes()
        return
    message.sparse_csr.values = tensor.values.tobytes()
    message.sparse_csr.crow_indices = np.asarray(tensor.indices[0], dtype=np.int64).tobytes()
    message.sparse_csr.col_indices = np.asarray(tensor.indices[1], dtype=np.int64).tobytes()


def _fill_topk(message: pb.TopkLogprobs, topk: TopkOutput) -> None:
    ids, logprobs = topk
    message.token_ids = np.asarray(ids, dtype=np.int32).tobytes()
    message.logprobs = np.asarray(logprobs, dtype=np.float32).tobytes()
    message.length, message.k = ids.shape
