"""The paths of OpenAI clients, over HTTP: the same replies as the wire gives, as text."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tinker
from tinker import types

from spar_worker.openai.reply_text import ReplyText
from worker_process import RunningWorker, key, running_worker

messages = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]
rendered = "s be kind!u hi!a "
letters = "abcdefghijklmnopqrstuvwxyz .,!?0123456789"
Json = dict[str, Any]


def ids_of(text: str) -> list[int]:
    return [3 + letters.index(letter) for letter in text]


def text_of(ids: list[int]) -> str:
    return "".join(letters[i - 3] for i in ids if 3 <= i < 3 + len(letters))


def send(
    worker: RunningWorker, path: str, body: Json | None = None, *, root: str = "/v1", shown: str = key
) -> Any:
    request = urllib.request.Request(
        f"{worker.url}{root}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {shown}", "Content-Type": "application/json"},
    )
    return urllib.request.urlopen(request, timeout=60)


def ask(worker: RunningWorker, path: str, body: Json | None = None, **more: str) -> Json:
    with send(worker, path, body, **more) as answer:
        return json.load(answer)


def refusal(worker: RunningWorker, path: str, body: Json, **more: str) -> tuple[int, Json]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        send(worker, path, body, **more)
    return caught.value.code, json.load(caught.value)["error"]


def chat(**fields: Any) -> Json:
    return {"model": "tiny", "messages": messages, "max_tokens": 12, "seed": 4} | fields


@pytest.fixture(scope="module")
def service(worker: RunningWorker) -> Iterator[tinker.ServiceClient]:
    client = tinker.ServiceClient(base_url=worker.url, api_key=key)
    yield client
    client.close("success").result()


def by_wire(client: tinker.SamplingClient, count: int, **fields: Any) -> list[types.SampledSequence]:
    given: dict[str, Any] = {"max_tokens": 12, "seed": 4, "stop": [2]} | fields
    prompt = types.ModelInput.from_ints(ids_of(rendered))
    parameters = types.SamplingParams(**given)
    return list(client.sample(prompt, count, parameters, topk_sample_logprobs=3).result().sequences)


def test_a_chat_gets_the_replies_of_the_wire_in_the_models_own_template(
    worker: RunningWorker, service: tinker.ServiceClient
) -> None:
    expected = by_wire(service.create_sampling_client(base_model="tiny").result(), 3)
    for root in ("/v1", "/oai/api/v1"):
        found = ask(worker, "chat/completions", chat(n=3, logprobs=True, top_logprobs=3), root=root)
        assert found["object"] == "chat.completion"
        assert found["usage"]["prompt_tokens"] == len(rendered)
        assert found["usage"]["completion_tokens"] == sum(len(s.tokens) for s in expected)
        for choice, sequence in zip(found["choices"], expected, strict=True):
            assert choice["message"]["content"] == text_of(list(sequence.tokens))
            assert choice["finish_reason"] == sequence.stop_reason
            entries = choice["logprobs"]["content"]
            assert [entry["logprob"] for entry in entries] == pytest.approx(sequence.logprobs, abs=1e-4)
            top = sequence.topk_logprobs
            assert top is not None
            for entry, row in zip(entries, top, strict=True):
                assert row is not None
                assert [t["logprob"] for t in entry["top_logprobs"]] == pytest.approx(
                    [v for _, v in row], abs=1e-4
                )


def test_the_most_likely_tokens_are_told_with_each_drawn_one(service: tinker.ServiceClient) -> None:
    client = service.create_sampling_client(base_model="tiny").result()
    for sequence in by_wire(client, 2, temperature=0.0):
        top = sequence.topk_logprobs
        assert top is not None
        assert [row[0][0] for row in top if row] == list(sequence.tokens)
        assert [row[0][1] for row in top if row] == pytest.approx(sequence.logprobs, abs=1e-5)
        assert all(row is not None and len(row) == 3 and row[0][1] >= row[1][1] >= row[2][1] for row in top)


def test_a_published_version_is_named_by_its_path(worker: RunningWorker, service: tinker.ServiceClient) -> None:
    training = service.create_lora_training_client("tiny", rank=8, seed=1).result()
    data = types.Datum(
        model_input=types.ModelInput.from_ints(ids_of(rendered)),
        loss_fn_inputs={
            "target_tokens": types.TensorData.from_numpy(np.full(len(rendered), 5)),
            "weights": types.TensorData.from_numpy(np.ones(len(rendered), dtype=np.float32)),
        },
    )
    for _ in range(8):
        training.forward_backward([data], "cross_entropy").result()
        training.optim_step(types.AdamParams(learning_rate=0.05)).result()
    path = training.save_weights_for_sampler("learned").result().path
    for name in (path, f"tiny;{path}"):
        found = ask(worker, "chat/completions", chat(model=name, temperature=0, max_tokens=5))
        assert found["choices"][0]["message"]["content"] == "ccccc"
    base = ask(worker, "chat/completions", chat(temperature=0, max_tokens=5))
    assert base["choices"][0]["message"]["content"] != "ccccc"
    listed = ask(worker, "models")["data"]
    assert {"tiny", path} <= {entry["id"] for entry in listed}
    assert ask(worker, f"models/{path}")["id"] == path
    status, error = refusal(worker, "chat/completions", chat(model=f"other;{path}"))
    assert (status, error["type"]) == (400, "invalid_request_error")


def test_a_stop_is_cut_off_and_pieces_of_a_stream_make_the_whole(worker: RunningWorker) -> None:
    free = ask(worker, "chat/completions", chat(max_tokens=40))["choices"][0]["message"]["content"]
    stop = free[5:7]
    whole = ask(worker, "chat/completions", chat(max_tokens=40, stop=[stop], n=2, logprobs=True))
    assert whole["choices"][0]["message"]["content"] == free[: free.index(stop)]
    assert whole["choices"][0]["finish_reason"] == "stop"
    body = chat(
        max_tokens=40, stop=stop, n=2, logprobs=True, stream=True, stream_options={"include_usage": True}
    )
    with send(worker, "chat/completions", body) as answer:
        lines = [line.decode().strip() for line in answer if line.strip()]
    assert lines[-1] == "data: [DONE]"
    pieces = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert pieces[-1]["usage"] == whole["usage"]
    for index, choice in enumerate(whole["choices"]):
        own = [c for piece in pieces for c in piece["choices"] if c["index"] == index]
        assert own[0]["delta"]["role"] == "assistant"
        assert "".join(c["delta"]["content"] for c in own) == choice["message"]["content"]
        assert [e for c in own for e in c["logprobs"]["content"]] == choice["logprobs"]["content"]
        assert [c["finish_reason"] for c in own] == [None] * (len(own) - 1) + [choice["finish_reason"]]


def test_what_the_assistant_began_it_goes_on_with(worker: RunningWorker) -> None:
    begun = [*messages, {"role": "assistant", "content": [{"type": "text", "text": "ab"}]}]
    found = ask(worker, "chat/completions", chat(messages=begun, temperature=0))
    text = ask(
        worker,
        "completions",
        {"model": "tiny", "prompt": "s be kind!u hi!a ab", "max_tokens": 12, "temperature": 0, "logprobs": 2},
    )
    assert text["choices"][0]["text"] == found["choices"][0]["message"]["content"]
    logprobs = text["choices"][0]["logprobs"]
    assert logprobs["text_offset"][:3] == [0, 1, 2]
    assert logprobs["token_logprobs"] == pytest.approx([max(row.values()) for row in logprobs["top_logprobs"]])


def test_several_prompts_of_texts_or_ids(worker: RunningWorker) -> None:
    body = {"model": "tiny", "max_tokens": 6, "seed": 9, "n": 2}
    texts = ask(worker, "completions", body | {"prompt": ["ab", "cd"]})["choices"]
    ids = ask(worker, "completions", body | {"prompt": [ids_of("ab"), ids_of("cd")]})["choices"]
    assert [c["text"] for c in texts] == [c["text"] for c in ids]
    assert [c["index"] for c in texts] == [0, 1, 2, 3]
    assert len({c["text"] for c in texts}) > 1


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"tools": [{"type": "function"}]}, 400, "no tools"),
        ({"frequency_penalty": 0.5}, 400, "no frequency_penalty"),
        ({"response_format": {"type": "json_object"}}, 400, "no response_format"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "image_url"),
        ({"model": "absent"}, 404, "expected a base model of ['tiny'], got 'absent'"),
        ({"model": "tinker://run/sampler_weights/absent"}, 404, "got none at"),
        ({"max_tokens": 4000}, 400, "128 positions"),
        ({"temperature": -1}, 400, "temperature >= 0"),
        ({"messages": []}, 400, "messages"),
    ],
)
def test_what_is_not_offered_is_refused_by_name(
    worker: RunningWorker, fields: Json, status: int, says: str
) -> None:
    code, error = refusal(worker, "chat/completions", chat(**fields))
    assert code == status
    assert says in error["message"]
    assert error["code"]


def test_access_and_templates(worker: RunningWorker, tied_folder: Path, tmp_path: Path) -> None:
    code, error = refusal(worker, "chat/completions", chat(), shown="tml-other")
    assert (code, error["message"][:27]) == (401, "expected the worker's key, ")
    with running_worker(tied_folder, tmp_path) as plain:
        assert "chat template" in refusal(plain, "chat/completions", chat())[1]["message"]
        assert ask(plain, "completions", {"model": "tiny", "prompt": "ab"})["usage"]["prompt_tokens"] == 2


class Bytes:
    """A tokenizer whose tokens are bytes."""

    def decode(self, ids: list[int], **_: object) -> str:
        return bytes(ids).decode(errors="replace")


def test_pieces_hold_whole_characters_and_no_beginning_of_a_stop() -> None:
    reply = ReplyText(Bytes(), ("END",), (0,))
    given = [reply.push(byte) for byte in "aé€ENEND more".encode()]
    assert "".join(given) == "aé€EN"
    assert "�" not in "".join(given)
    assert given[:3] == ["a", "", "é"]
    assert reply.finish() == ""
    cut = ReplyText(Bytes(), ("END",), (0,))
    assert [cut.push(byte) for byte in b"xEN"] == ["x", "", ""]
    assert cut.finish() == "EN"
