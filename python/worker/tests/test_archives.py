"""Archives of checkpoints: what is in them, who may fetch them and for how long, what breaks a download."""

import asyncio
import io
import json
import re
import tarfile
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from aiohttp import ClientError
from aiohttp.test_utils import TestClient, TestServer
from peft import PeftModel
from transformers import AutoModelForCausalLM
from yarl import URL

from plain_client import Client, result
from spar_worker.checkpoints.archive import opened_tar
from spar_worker.errors import WorkerError
from spar_worker.server.app import make_app
from spar_worker.server.signatures import Signer
from spar_worker.settings import Settings
from tiny import settings_for
from worker_process import RunningWorker, key

loader = cast("Any", AutoModelForCausalLM)
prompt = list(range(5, 17))


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        del req, fp, code, msg, headers, newurl


def get(url: str, *, shown_key: str | None = None, method: str = "GET") -> Answer:
    headers = {} if shown_key is None else {"X-API-Key": shown_key}
    request = urllib.request.Request(url, headers=headers, method=method)
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=120) as found:
            return Answer(found.status, dict(found.headers), found.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), error.read())


def archive_of(worker: RunningWorker, path: str) -> Answer:
    """The redirect, asked for with the key."""
    run, kind, name = path.removeprefix("tinker://").split("/")
    return get(f"{worker.url}/api/v1/training_runs/{run}/checkpoints/{kind}/{name}/archive", shown_key=key)


def unpack(content: bytes, folder: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert all(member.isreg() for member in tar.getmembers())
        assert tar.getnames()[-1] == "checkpoint_complete"
        tar.extractall(folder, filter="data")
    return folder


def trained(worker: RunningWorker, rank: int | None) -> Client:
    client = Client(worker.url)
    if rank is not None:
        made = {"session_id": client.session, "model_seq_id": 1, "base_model": "tiny"}
        client.made = result(worker.url, "create_model", made | {"lora_config": {"rank": rank}})
    for _ in range(2):
        client.train(2, 16)
        client.call("optim_step", {"adam_params": {"learning_rate": 0.02}})
    return client


def scores_of(worker: RunningWorker, path: str) -> list[float]:
    body = {"model_path": path, "prompt": {"chunks": [{"type": "encoded_text", "tokens": prompt}]}}
    body |= {"sampling_params": {"max_tokens": 0}, "prompt_logprobs": True}
    return result(worker.url, "asample", body)["prompt_logprobs"][1:]


def scores_by_hand(model: Any) -> list[float]:
    ids = torch.tensor(prompt)
    with torch.no_grad():
        logprobs = model(ids[None]).logits[0].log_softmax(-1)
    return logprobs[:-1].gather(-1, ids[1:, None])[:, 0].tolist()


@pytest.mark.parametrize("kind", ["weights", "sampler_weights"])
def test_the_archive_of_an_adapter_is_what_peft_loads(
    worker: RunningWorker, llama_folder: Path, tmp_path: Path, kind: str
) -> None:
    client = trained(worker, rank=4)
    call = "save_weights" if kind == "weights" else "save_weights_for_sampler"
    path = client.call(call, {"path": "a"})["path"]
    expected = scores_of(worker, path)
    client.train(2, 16)
    client.step()  # What is trained meanwhile is not what was saved.
    answer = archive_of(worker, path)
    assert answer.status == 302
    assert "Expires" in answer.headers
    location = answer.headers["Location"]
    assert key not in location
    found = get(location)
    assert found.status == 200
    assert int(found.headers["Content-Length"]) == len(found.body)
    assert get(location, method="HEAD").headers["Content-Length"] == found.headers["Content-Length"]
    folder = unpack(found.body, tmp_path)
    names = {file.name for file in folder.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "checkpoint_complete"} <= names
    assert not names & {"checkpoint.json", "optimizer.safetensors", "weights.safetensors"}
    adapted = PeftModel.from_pretrained(loader.from_pretrained(str(llama_folder)), str(folder))
    np.testing.assert_allclose(scores_by_hand(adapted), expected, atol=1e-4)
    again = get(archive_of(worker, path).headers["Location"])
    assert again.body == found.body


def test_the_archive_of_a_whole_model_is_what_transformers_loads(worker: RunningWorker, tmp_path: Path) -> None:
    client = trained(worker, rank=None)
    path = client.call("save_weights", {"path": "a"})["path"]
    folder = unpack(get(archive_of(worker, path).headers["Location"]).body, tmp_path)
    names = {file.name for file in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "checkpoint_complete"} <= names
    assert "adapter_config.json" not in names
    found = scores_by_hand(loader.from_pretrained(str(folder)))
    np.testing.assert_allclose(found, scores_of(worker, path), atol=1e-4)


def test_the_files_of_an_export_have_addresses_of_their_own(worker: RunningWorker, tmp_path: Path) -> None:
    client = trained(worker, rank=2)
    made = client.call("save_weights_external", {"path": "e"})
    run = client.made["model_id"]
    place = f"{worker.url}/api/v1/training_runs/{run}/checkpoints"
    answer = get(f"{place}/external_weights/e/external_weights_urls", shown_key=key)
    assert answer.status == 200
    assert set(answer.json) == {"urls", "expires"}
    folder = Path(made["spar"]["folder"])
    on_disk = {file.name for file in folder.iterdir()} - {"checkpoint.json"}
    assert set(answer.json["urls"]) == on_disk
    for name, url in answer.json["urls"].items():
        assert get(url).body == (folder / name).read_bytes()
    tar = unpack(get(archive_of(worker, made["path"]).headers["Location"]).body, tmp_path)
    assert {file.name for file in tar.iterdir()} == on_disk | {"checkpoint_complete"}
    client.call("save_weights", {"path": "w"})
    refused = get(f"{place}/weights/w/external_weights_urls", shown_key=key)
    assert refused.status == 400
    assert "expected weights that were exported" in refused.json["error"]


def test_what_was_not_signed_is_refused(worker: RunningWorker) -> None:
    client = trained(worker, rank=2)
    path = client.call("save_weights_external", {"path": "e"})["path"]
    client.call("save_weights_external", {"path": "other"})
    location = archive_of(worker, path).headers["Location"]
    assert get(location).status == 200
    expires = re.search(r"expires=(\d+)", location)
    assert expires is not None
    changed = {
        "later": location.replace(expires[0], f"expires={int(expires[1]) + 60}"),
        "another checkpoint": location.replace("/e/archive.tar", "/other/archive.tar"),
        "another file": location.replace("archive.tar", "files/adapter_config.json"),
        "upwards": location.replace("archive.tar", "files/../../../../e/archive.tar"),
        "upwards, encoded": location.replace("archive.tar", "files/%2e%2e/%2e%2e/checkpoint.json"),
        "encoded otherwise": location.replace("archive", "%61rchive"),
        "out of it": location.replace("/spar/downloads/", "/spar/downloads/../../get_server_capabilities/"),
        "no signature": location.split("?")[0],
        "half a signature": location[:-10],
        "letters for a time": location.replace(expires[0], "expires=soon"),
    }
    for what, url in changed.items():
        assert url != location, what
        answer = get(url)
        assert answer.status == 403, what
        assert answer.json["code"] == "address-refused", what
        assert "traceback" not in answer.json, what
    by_key = get(location.split("?")[0], shown_key=key)
    assert by_key.status == 403  # One way in, not two.
    elsewhere = get(f"{worker.url}/api/v1/training_runs?{location.split('?')[1]}")
    assert elsewhere.status == 401
    assert elsewhere.json["code"] == "key-refused"


def test_what_is_not_there_has_no_archive(worker: RunningWorker) -> None:
    client = trained(worker, rank=2)
    run = client.made["model_id"]
    absent = archive_of(worker, f"tinker://{run}/weights/none")
    assert absent.status == 404
    assert absent.json["code"] == "checkpoint-unknown"
    assert archive_of(worker, f"tinker://{run}/weights/..%2f..").status == 400
    assert archive_of(worker, "tinker://%2e%2e/weights/a").status == 400
    place = f"{worker.url}/api/v1/training_runs/{run}/checkpoints/weights/w"
    assert get(f"{place}/archive").status == 401
    path = client.call("save_weights", {"path": "w"})["path"]
    location = archive_of(worker, path).headers["Location"]
    assert get(place, shown_key=key, method="DELETE").status == 200
    gone = get(location)
    assert gone.status == 404
    assert gone.json["code"] == "checkpoint-unknown"


def test_a_signature_is_of_one_path_one_time_and_one_process() -> None:
    signer = Signer(60)
    path, _ = signer.sign("/api/v1/spar/downloads/run/weights/a/archive.tar")
    place, _, query = path.partition("?")
    given = dict(entry.split("=") for entry in query.split("&"))
    signer.check(place, given)
    for wrong in ({}, given | {"signature": ""}, given | {"signature": "é" * 64}, given | {"expires": "-1"}):
        with pytest.raises(WorkerError) as refusal:
            signer.check(place, wrong)
        assert refusal.value.code == "address-refused"
    with pytest.raises(WorkerError) as refusal:
        Signer(60).check(place, given)  # Another process.
    assert refusal.value.code == "address-refused"


def test_large_files_have_headers_that_readers_understand(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as opened:
        opened.truncate(9 * 2**30)  # A hole: more than the classic header can say.
    small = tmp_path / "small"
    small.write_bytes(b"abc")
    with opened_tar({"x" * 120: file, "small": small}) as content:
        headers = [part for part in content.parts if isinstance(part, bytes)]
        assert content.size_bytes == 9 * 2**30 + 3 + 509 + sum(map(len, headers)) - 509
        with tarfile.open(fileobj=io.BytesIO(headers[0]), ignore_zeros=True) as tar:
            member = tar.next()
    assert member is not None
    assert (member.name, member.size) == ("x" * 120, 9 * 2**30)


Http = TestClient[Any, Any]


def in_this_process(settings: Settings, body: Callable[[Http, str], Awaitable[None]]) -> None:
    """The server with settings that the command line does not have, and an export that was written to it."""

    async def run() -> None:
        folder = settings.state_folder / "run" / "external_weights" / "e"
        folder.mkdir(parents=True)
        (folder / "checkpoint.json").write_text(json.dumps({"base_model": "tiny", "created_at": 0}))
        with (folder / "model.safetensors").open("wb") as file:
            file.truncate(64 * 2**20)
        async with (
            TestServer(make_app(settings), handler_cancellation=True) as server,
            TestClient(server) as http,
        ):
            place = "/api/v1/training_runs/run/checkpoints/external_weights/e/archive"
            answer = await http.get(place, headers={"X-API-Key": settings.key}, allow_redirects=False)
            await body(http, str(URL(answer.headers["Location"]).relative()))

    asyncio.run(run())


def test_an_address_is_over_after_its_time(llama_folder: Path, tmp_path: Path) -> None:
    async def body(http: Http, location: str) -> None:
        await asyncio.sleep(0.1)
        answer = await http.get(location)
        assert answer.status == 403
        found = await answer.json()
        assert found["code"] == "address-expired"
        assert "ask for the archive again" in found["hint"]

    in_this_process(replace(settings_for(llama_folder, tmp_path), download_life_s=-1.0), body)


def test_downloads_are_few_at_once_and_end_when_nobody_takes_them(llama_folder: Path, tmp_path: Path) -> None:
    async def body(http: Http, location: str) -> None:
        idle = await http.get(location)  # Takes the head, and then nothing.
        busy = await http.get(location)
        assert busy.status == 503
        assert (await busy.json())["code"] == "not-ready"
        await asyncio.sleep(1.5)
        free = await http.get(location)
        assert free.status == 200
        assert len(await free.read()) == int(free.headers["Content-Length"])
        with pytest.raises(ClientError):
            await idle.read()

    settings = replace(settings_for(llama_folder, tmp_path), download_limit=1, download_stall_s=0.5)
    in_this_process(settings, body)


def test_a_file_that_becomes_shorter_breaks_the_connection(llama_folder: Path, tmp_path: Path) -> None:
    async def body(http: Http, location: str) -> None:
        answer = await http.get(location)
        (tmp_path / "run" / "external_weights" / "e" / "model.safetensors").write_bytes(b"")
        with pytest.raises(ClientError):
            await answer.read()
        assert (await http.get("/api/v1/healthz")).status == 200

    in_this_process(settings_for(llama_folder, tmp_path), body)
