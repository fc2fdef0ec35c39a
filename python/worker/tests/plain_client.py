"""A client with the standard library alone, which starts in no time: `python -m plain_client URL` trains."""

import json
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from worker_process import key

Json = dict[str, Any]


def post(url: str, path: str, body: Json) -> tuple[int, Json]:
    request = urllib.request.Request(
        f"{url}/api/v1/{path}",
        data=json.dumps(body).encode(),
        headers={"X-API-Key": key, "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def result(url: str, path: str, body: Json) -> Json:
    """Submits, and waits for what comes of it."""
    status, future = post(url, path, body)
    assert status == 200, future
    for _ in range(20):
        status, found = post(url, "retrieve_future", {"request_id": future["request_id"]})
        if status != 408:
            return found
    raise AssertionError("no result in time")


class Client:
    """A session with a model of all weights."""

    def __init__(self, url: str, base_model: str = "tiny") -> None:
        self.url = url
        self.session = post(url, "create_session", {"type": "create_session"})[1]["session_id"]
        self.made = result(
            url, "create_model", {"session_id": self.session, "model_seq_id": 0, "base_model": base_model}
        )
        self.number = 0

    def call(self, path: str, fields: Json) -> Json:
        self.number += 1
        return result(self.url, path, {"model_id": self.made["model_id"], "seq_id": self.number, **fields})

    def train(self, rows: int, length: int) -> Json:
        ids = [3 + place % 40 for place in range(length)]
        row = {
            "model_input": {"chunks": [{"type": "encoded_text", "tokens": ids}]},
            "loss_fn_inputs": {"target_tokens": {"data": ids, "dtype": "int64", "shape": [length]}},
        }
        given = {"data": [row] * rows, "loss_fn": "cross_entropy"}
        return self.call("forward_backward", {"forward_backward_input": given})

    def step(self) -> Json:
        return self.call("optim_step", {"adam_params": {"learning_rate": 1e-3}})


def main() -> None:
    """A client that trains, says so, and is killed."""
    client = Client(sys.argv[1])
    client.train(1, 16)
    client.step()
    client.train(1, 16)
    sys.stdout.write("trained\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    main()
