"""Both encodings say the same, and are those of the official SDK."""

from typing import Any

import numpy as np
import pytest
from google.protobuf.descriptor import Descriptor
from tinker import types
from tinker.proto import tinker_public_pb2 as official
from tinker.proto.request_conv import forward_backward_request_to_proto
from tinker.proto.response_conv import deserialize_proto_response

from spar_worker.errors import WorkerError
from spar_worker.rows import Row
from spar_worker.wire import messages_pb2 as ours
from spar_worker.wire.requests import PassBody, TensorBody
from spar_worker.wire.results import PassOutput, SampleOutput, SequenceOutput, encode_json, encode_message
from spar_worker.wire.tensors import tensor_of_json
from spar_worker.wire.training import pass_of_json, pass_of_message


def shape_of(message: Descriptor) -> dict[str, tuple[int, int, bool]]:
    return {field.name: (field.number, field.type, field.is_repeated) for field in message.fields}


def test_our_messages_have_the_fields_of_the_official_ones() -> None:
    theirs: dict[str, Descriptor] = dict(official.DESCRIPTOR.message_types_by_name)
    mine: dict[str, Descriptor] = dict(ours.DESCRIPTOR.message_types_by_name)
    assert mine.keys() == theirs.keys()
    for name, message in theirs.items():
        assert shape_of(mine[name]) == shape_of(message), name


def datum() -> types.Datum:
    weights = np.zeros((3, 2), dtype=np.float32)
    weights[1, 1] = 0.5
    sparse = types.TensorData(
        data=[0.5], dtype="float32", shape=[3, 2], sparse_crow_indices=[0, 0, 1, 1], sparse_col_indices=[1]
    )
    return types.Datum(
        model_input=types.ModelInput.from_ints([5, 6]).append_int(7),
        loss_fn_inputs={
            "target_tokens": types.TensorData.from_numpy(np.array([[6, 1], [7, 2], [8, 3]])),
            "weights": sparse,
        },
    )


def same_row(row: Row) -> None:
    assert row.input_ids.tolist() == [5, 6, 7]
    assert row.targets.tolist() == [[6, 1], [7, 2], [8, 3]]
    assert row.weights is not None
    assert row.weights.tolist() == [[0, 0], [0, 0.5], [0, 0]]
    assert row.advantages is None


def test_a_row_is_the_same_in_both_encodings() -> None:
    request = types.ForwardBackwardRequest(
        model_id="m",
        seq_id=3,
        forward_backward_input=types.ForwardBackwardInput(
            data=[datum()], loss_fn="cross_entropy", loss_fn_config={"beta": 0.5}
        ),
    )
    found = pass_of_message(forward_backward_request_to_proto(request).SerializeToString())
    assert (found.model_id, found.seq_id, found.loss_name, found.numbers) == (
        "m",
        3,
        "cross_entropy",
        {"beta": 0.5},
    )
    same_row(found.rows[0])
    body: dict[str, Any] = {
        "loss_fn": "cross_entropy",
        "data": [
            {
                "model_input": {"chunks": [{"tokens": [5, 6], "type": "encoded_text"}, {"tokens": [7]}]},
                "loss_fn_inputs": {
                    "target_tokens": {"data": [6, 1, 7, 2, 8, 3], "dtype": "int64", "shape": [3, 2]},
                    "weights": {
                        "data": [0.5],
                        "dtype": "float32",
                        "shape": [3, 2],
                        "sparse_crow_indices": [0, 0, 1, 1],
                        "sparse_col_indices": [1],
                    },
                },
            }
        ],
    }
    same_row(pass_of_json("m", 3, PassBody.model_validate(body), is_forward_only=True).rows[0])


def test_outputs_arrive_row_by_row_also_where_their_widths_differ() -> None:
    outputs = [np.arange(3, dtype=np.float32), np.ones((2, 2), dtype=np.float32), np.zeros(1, dtype=np.float32)]
    result = PassOutput({"logprobs": outputs}, {"loss:sum": 1.5}, 3)
    found = deserialize_proto_response(encode_message(result), types.ForwardBackwardOutput)
    assert isinstance(found, types.ForwardBackwardOutput)
    assert found.metrics == {"loss:sum": 1.5}
    for sent, received in zip(outputs, found.loss_fn_outputs, strict=True):
        np.testing.assert_array_equal(received["logprobs"].to_numpy(), sent)
    as_json: Any = encode_json(result)
    assert [row["logprobs"]["shape"] for row in as_json["loss_fn_outputs"]] == [[3], [2, 2], [1]]


def test_samples_arrive_as_they_were_drawn() -> None:
    sequence = SequenceOutput([4, 5], np.array([-0.5, -0.25], dtype=np.float32), "stop")
    prompt = np.array([np.nan, -1.0], dtype=np.float32)
    found = deserialize_proto_response(encode_message(SampleOutput([sequence], prompt)), types.SampleResponse)
    assert isinstance(found, types.SampleResponse)
    assert list(found.sequences[0].tokens) == [4, 5]
    assert found.sequences[0].stop_reason == "stop"
    assert found.prompt_logprobs == [None, -1.0]
    as_json: Any = encode_json(SampleOutput([sequence], prompt))
    assert as_json["prompt_logprobs"] == [None, -1.0]


@pytest.mark.parametrize(
    "datum",
    [
        {"model_input": {"chunks": [{"type": "encoded_text", "tokens": [2**63]}]}, "loss_fn_inputs": {}},
        {
            "model_input": {"chunks": [{"type": "encoded_text", "tokens": [1]}]},
            "loss_fn_inputs": {"target_tokens": {"data": [float("nan")], "dtype": "int64"}},
        },
    ],
)
def test_numbers_that_nobody_can_read_are_the_senders_fault(datum: dict[str, Any]) -> None:
    body = PassBody.model_validate({"data": [datum], "loss_fn": "cross_entropy"})
    with pytest.raises(WorkerError) as caught:
        pass_of_json("m", 1, body, is_forward_only=True)
    assert (caught.value.code, caught.value.category) == ("invalid-input", "user")


def test_half_a_token_id_is_the_senders_fault() -> None:
    message = ours.ForwardBackwardRequest(model_id="m", loss_fn="cross_entropy")
    message.data.add().model_input.add().encoded_text.tokens = b"12345"
    with pytest.raises(WorkerError) as caught:
        pass_of_message(message.SerializeToString())
    assert (caught.value.code, caught.value.category) == ("invalid-input", "user")


def test_tensors_without_meaning_are_refused() -> None:
    for body in (
        {"data": [1, 2, 3], "dtype": "int64", "shape": [2, 2]},
        {
            "data": [1],
            "dtype": "int64",
            "shape": [1, 2],
            "sparse_crow_indices": [0, 1],
            "sparse_col_indices": [2],
        },
        {
            "data": [1],
            "dtype": "int64",
            "shape": [2, 2],
            "sparse_crow_indices": [0, 2, 1],
            "sparse_col_indices": [0],
        },
    ):
        with pytest.raises(WorkerError) as refusal:
            tensor_of_json(TensorBody.model_validate(body))
        assert refusal.value.code == "invalid-input"
    with pytest.raises(WorkerError):
        pass_of_message(b"\xff\xff")
