"""A worker as a process of its own, as users start it, and the official SDK as its client.

It holds the other end of a pipe: it ends when the process of the tests does, in whatever way that ends.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TINKER_TELEMETRY", "0")
os.environ.setdefault("TINKER_SUPPRESS_WARNINGS", "1")

key = "tml-test"


@dataclass
class RunningWorker:
    url: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """As a machine that loses power does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@contextmanager
def running_worker(folder: Path, state: Path, *options: str) -> Generator[RunningWorker]:
    """A worker with the model `tiny`; ended and waited for at the end."""
    environment = os.environ | {"SPAR_WORKER_KEY": key, "PYTHONPATH": str(Path(__file__).parent.parent / "src")}
    command = [
        sys.executable,
        "-m",
        "spar_worker",
        "--model",
        f"tiny={folder}",
        "--state-folder",
        str(state),
        "--threads",
        "1",
        "--device",
        "cpu",
        "--ends-with-input",
        *options,
    ]
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        ready = json.loads(line)
        assert ready["event"] == "listening"
        yield RunningWorker(ready["url"], process)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
