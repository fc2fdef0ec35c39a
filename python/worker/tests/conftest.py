"""What several tests share: one tiny model on disk per run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tiny import write_llama
from worker_process import RunningWorker, running_worker

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="session")
def tied_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llama(tmp_path_factory.mktemp("tied"), tied=True, seed=1, has_template=False)


@pytest.fixture(scope="session")
def worker(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWorker]:
    with running_worker(llama_folder, tmp_path_factory.mktemp("state")) as running:
        yield running
