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
    return {"type": "sample", "sequences": sequences, "prompt_logprobs": prompt, **topk}


def _topk_json(topk: TopkOutput) -> list[list[tuple[int, float]] | None]:
    """Pairs per position, null where nothing was scored."""
    return [
        [(int(i), float(v)) for i, v in zip(ids, values, strict=True) if v > no_logprob] or None
        for ids, values in zip(*topk, strict=True)
    ]


def _tensor_json(values: FloatArray) -> dict[str, object]:
    return {"data": values.ravel().tolist(), "dtype": "float32", "shape": list(values.shape)}


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
    return message


def _fill_topk(message: pb.TopkLogprobs, topk: TopkOutput) -> None:
    ids, logprobs = topk
    message.token_ids = np.asarray(ids, dtype=np.int32).tobytes()
    message.logprobs = np.asarray(logprobs, dtype=np.float32).tobytes()
    message.length, message.k = ids.shape
