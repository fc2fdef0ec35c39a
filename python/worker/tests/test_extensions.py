"""What our own clients may ask beyond the wire, over HTTP as they do, and what is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from spar_worker.rows import Row
from spar_worker.server.app import make_app
from spar_worker.settings import Settings
from spar_worker.wire import messages_pb2 as pb
from tiny import random_rows, settings_for

rows = random_rows(41, [6, 9])
protobuf = {"Content-Type": "application/x-protobuf"}


def json_rows(given: list[Row]) -> list[dict[str, Any]]:
    return [
        {
            "model_input": {"chunks": [{"type": "encoded_text", "tokens": row.input_ids.tolist()}]},
            "loss_fn_inputs": {"target_tokens": {"data": row.targets.tolist(), "dtype": "int64"}},
        }
        for row in given
    ]


def gradient_rows(gradients: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "model_input": {"chunks": []},
            "loss_fn_inputs": {name: {"data": list(v), "dtype": "float32"} for name, v in row.items()},
        }
        for row in gradients
    ]


class Client:
    """A client in a few lines: what it posts, and the result of the future."""

    def __init__(self, http: "TestClient[Any, Any]") -> None:
        self.http = http
        self.session = ""

    async def send(self, path: str, body: Any, **headers: str) -> ClientResponse:
        return await self.http.post(f"/api/v1/{path}", json=body, headers={"X-API-Key": "tml-test"} | headers)

    async def post(self, path: str, body: Any) -> Any:
        answer = await self.send(path, body)
        found = await answer.json()
        assert answer.status == 200, found
        return found

    async def result(self, path: str, body: Any) -> Any:
        return await self.fetch((await self.post(path, body))["request_id"])

    async def fetch(self, request_id: str) -> Any:
        while True:
            answer = await self.send("retrieve_future", {"request_id": request_id})
            if answer.status != 408:
                return await answer.json()

    async def model(self, number: int = 0, **fields: Any) -> str:
        if not self.session:
            self.session = (await self.post("create_session", {}))["session_id"]
        body = {"session_id": self.session, "model_seq_id": number, "base_model": "tiny"} | fields
        return (await self.result("create_model", body))["model_id"]

    async def run(self, model: str, number: int, loss: str, data: list[Any], **config: float) -> Any:
        body = {"data": data, "loss_fn": loss, "loss_fn_config": config}
        request = {"model_id": model, "seq_id": number, "forward_backward_input": body}
        return await self.result("forward_backward", request)

    async def step(self, model: str, number: int, **fields: Any) -> Any:
        given = fields or {"adam_params": {"learning_rate": 0.01}}
        return await self.result("optim_step", {"model_id": model, "seq_id": number, **given})


Scenario = Callable[[Client], Awaitable[None]]


@pytest.fixture
def play(llama_folder: Path, tmp_path: Path) -> Callable[..., None]:
    """Runs a scenario against a worker in this process."""

    def run(scenario: Scenario, **changes: Any) -> None:
        settings: Settings = settings_for(llama_folder, tmp_path, **changes)

        async def serve() -> None:
            server = TestServer(make_app(settings))
            await server.start_server(auto_decompress=False)
            async with TestClient(server) as http:
                await scenario(Client(http))

        asyncio.run(asyncio.wait_for(serve(), 60))

    return run


lora: dict[str, Any] = {"lora_config": {"rank": 4, "seed": 1}}


def test_a_loss_of_the_callers_own_in_one_pass_equals_the_built_in_one(play: Callable[..., None]) -> None:
    async def scenario(client: Client) -> None:
        built_in = await client.model(0, **lora)
        await client.run(built_in, 1, "cross_entropy", json_rows(rows))
        expected = (await client.step(built_in, 2))["metrics"]["grad_norm"]
        own = await client.model(1, **lora)
        passed = await client.run(own, 1, "spar_outputs", json_rows(rows), hold=1, entropies=1)
        assert len(passed["loss_fn_outputs"][1]["entropies"]["data"]) == 9
        slopes = [{"logprobs": -np.ones(row.position_count)} for row in rows]
        assert "error" not in await client.run(own, 2, "spar_backward", gradient_rows(slopes), forward_seq_id=1)
        assert (await client.step(own, 3))["metrics"]["grad_norm"] == pytest.approx(expected, rel=1e-5)
        again = await client.run(own, 4, "spar_backward", gradient_rows(slopes), forward_seq_id=1)
        assert (again["code"], again["category"]) == ("graph-expired", "server")

    play(scenario)


def test_a_graph_that_waited_too_long_or_is_too_large_is_refused(play: Callable[..., None]) -> None:
    async def late(client: Client) -> None:
        model = await client.model(**lora)
        await client.run(model, 1, "spar_outputs", json_rows(rows), hold=1)
        slopes = [{"logprobs": np.ones(row.position_count)} for row in rows]
        found = await client.run(model, 2, "spar_backward", gradient_rows(slopes), forward_seq_id=1)
        assert found["code"] == "graph-expired"
        assert "expected gradients" in (await client.step(model, 3))["error"]

    async def large(client: Client) -> None:
        model = await client.model(**lora)
        found = await client.run(model, 1, "spar_outputs", json_rows(rows), hold=1)
        assert found["code"] == "memory-exhausted"
        assert "loss_fn_outputs" in await client.run(model, 2, "spar_outputs", json_rows(rows))

    play(late, held_graph_timeout_s=-1.0)
    play(large, held_token_limit=10)


def test_repeats_are_recognised_and_other_bodies_refused(play: Callable[..., None]) -> None:
    async def scenario(client: Client) -> None:
        model = await client.model(**lora)
        body = {"data": json_rows(rows), "loss_fn": "cross_entropy"}
        request = {"model_id": model, "seq_id": 1, "forward_backward_input": body}
        one = await client.post("forward_backward", request)
        two = await client.post("forward_backward", request)
        assert one["request_id"] == two["request_id"]
        loss = (await client.fetch(one["request_id"]))["metrics"]["loss:sum"]
        norm = (await client.step(model, 2))["metrics"]["grad_norm"]
        other = await client.model(1, **lora)
        assert (await client.run(other, 1, "cross_entropy", json_rows(rows)))["metrics"]["loss:sum"] == loss
        assert (await client.step(other, 2))["metrics"]["grad_norm"] == norm  # Applied once.
        changed = await client.send(
            "forward_backward", request | {"forward_backward_input": body | {"data": []}}
        )
        assert changed.status == 409
        create = {"session_id": client.session, "model_seq_id": 0, "base_model": "tiny", **lora}
        assert (await client.result("create_model", create))["model_id"] == model
        sampler = {"session_id": client.session, "sampling_session_seq_id": 0, "base_model": "tiny"}
        session = (await client.post("create_sampling_session", sampler))["sampling_session_id"]
        sample = {
            "sampling_session_id": session,
            "seq_id": 0,
            "prompt": {"chunks": [{"tokens": [1, 5]}]},
            "sampling_params": {"max_tokens": 4},
        }
        first, second = await client.post("asample", sample), await client.post("asample", sample)
        assert first == second

    play(scenario)


def test_gradients_can_be_discarded_and_calls_cancelled(play: Callable[..., None]) -> None:
    async def scenario(client: Client) -> None:
        model = await client.model(**lora)
        await client.run(model, 1, "cross_entropy", json_rows(rows))
        assert await client.result("spar/discard_gradients", {"model_id": model, "seq_id": 2}) == {}
        assert "expected gradients" in (await client.step(model, 3))["error"]
        # Numbers that come late: 5 waits for 4, so it can be cancelled for sure.
        body = {"data": json_rows(rows), "loss_fn": "cross_entropy"}
        waiting = await client.post(
            "forward_backward", {"model_id": model, "seq_id": 5, "forward_backward_input": body}
        )
        await client.post("cancel_future", {"request_id": waiting["request_id"]})
        await client.run(model, 4, "cross_entropy", json_rows(rows[:1]))
        assert (await client.fetch(waiting["request_id"]))["code"] == "aborted"
        assert "metrics" in await client.step(model, 6)

    play(scenario)


def test_other_optimizers_full_models_value_heads_and_scores(play: Callable[..., None]) -> None:
    async def scenario(client: Client) -> None:
        model = await client.model(spar={"head": "value"})
        info = await client.post("get_info", {"model_id": model})
        assert info["is_lora"] is False
        assert info["spar"]["vocabulary_size"] == 48
        assert info["spar"]["parameter_count"] == info["spar"]["trainable_parameter_count"]
        await client.run(model, 1, "spar_outputs", json_rows(rows), hold=1, values=1)
        slopes = [{"values": np.ones(row.position_count)} for row in rows]
        await client.run(model, 2, "spar_backward", gradient_rows(slopes), forward_seq_id=1)
        sgd = {"optimizer_params": {"type": "sgd", "learning_rate": 0.1}}
        assert (await client.step(model, 3, **sgd))["metrics"]["step_count"] == 1
        save = {"model_id": model, "seq_id": 4, "path": "v"}
        path = (await client.result("save_weights_for_sampler", save))["path"]
        inputs = [[{"type": "encoded_text", "tokens": [1, 5, 6]}]]
        valued = await client.result("spar/score", {"model_path": path, "output": "values", "inputs": inputs})
        values = valued["loss_fn_outputs"][0]["values"]["data"]
        assert len(values) == 3
        assert all(abs(value) > 1e-3 for value in values)
        embedded = await client.result(
            "spar/score", {"model_path": path, "output": "embedding", "inputs": inputs}
        )
        assert embedded["loss_fn_outputs"][0]["embedding"]["shape"] == [32]
        lion = {"optimizer_params": {"type": "lion", "learning_rate": 0.1}}
        assert (await client.step(model, 5, **lion))["code"] == "capability-missing"

    play(scenario)


def test_bodies_may_be_compressed_and_must_not_be_too_large(play: Callable[..., None]) -> None:
    async def scenario(client: Client) -> None:
        model = await client.model(**lora)
        message = pb.ForwardBackwardRequest(
            model_id=model, seq_id=1, loss_fn="cross_entropy", forward_only=True
        )
        datum = message.data.add()
        datum.model_input.add().encoded_text.tokens = np.array([1, 5], dtype=np.int32).tobytes()
        datum.loss_fn_inputs["target_tokens"].dense = np.array([5, 6], dtype=np.int64).tobytes()
        datum.loss_fn_inputs["target_tokens"].dtype = pb.DTYPE_INT64
        headers = {"X-API-Key": "tml-test", "Content-Encoding": "zstd"} | protobuf
        body = zstandard.ZstdCompressor().compress(message.SerializeToString())
        answer = await client.http.post("/api/v1/forward_backward", data=body, headers=headers)
        found = await client.fetch((await answer.json())["request_id"])
        assert len(found["loss_fn_outputs"][0]["logprobs"]["data"]) == 2
        bomb = zstandard.ZstdCompressor().compress(b"\0" * 3_000_000)
        answer = await client.http.post("/api/v1/forward_backward", data=bomb, headers=headers)
        assert answer.status == 413
        answer = await client.http.post(
            "/api/v1/create_session", data=b"{}", headers=headers | {"Content-Encoding": "br"}
        )
        assert answer.status == 400

    play(scenario, body_limit_bytes=1_000_000)


def test_strangers_and_nonsense_are_refused(play: Callable[..., None]) -> None:
    async def scenario(client: Client) -> None:
        assert (await client.http.get("/api/v1/healthz")).status == 200
        assert (await client.http.get("/api/v1/get_server_capabilities")).status == 401
        assert (await client.send("create_session", {}, **{"X-API-Key": "tml-other"})).status == 401
        bearer = {"Authorization": "Bearer tml-test"}
        assert (await client.http.get("/api/v1/get_server_capabilities", headers=bearer)).status == 200
        assert (await client.send("session_heartbeat", {"session_id": "gone"})).status == 410
        assert (await client.send("retrieve_future", {"request_id": "gone"})).status == 410
        assert (await client.send("get_info", {"model_id": "gone"})).status == 404
        nonsense = await client.send("create_model", {"base_model": 3})
        assert nonsense.status == 400
        assert "session_id" in (await nonsense.json())["error"]
        model = await client.model(**lora)
        session = client.session
        assert (await client.send(f"sessions/{session}/finish", {})).status == 200
        ended = await client.send("optim_step", {"model_id": model, "seq_id": 1})
        assert ended.status == 404
        image = {"chunks": [{"type": "image", "data": "", "format": "png"}]}
        body = {"prompt": image, "sampling_params": {}, "base_model": "tiny"}
        assert "token ids" in (await (await client.send("asample", body)).json())["error"]

    play(scenario)


def test_a_queue_that_is_full_says_come_back_later(play: Callable[..., None]) -> None:
    async def scenario(client: Client) -> None:
        model = await client.model(**lora)
        body = {"data": json_rows(rows), "loss_fn": "cross_entropy"}
        statuses = [
            (
                await client.send(
                    "forward_backward", {"model_id": model, "seq_id": number, "forward_backward_input": body}
                )
            ).status
            for number in (3, 4, 5)
        ]
        assert statuses == [200, 200, 429]

    play(scenario, waiting_limit=2)
