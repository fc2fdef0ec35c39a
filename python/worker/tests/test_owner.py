"""Workers that end with whoever started them, and what they leave behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def start(*arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "spar_worker", *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent / "src")}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)


@pytest.mark.parametrize(
    ("is_temporary", "place"),
    [(True, ["--state-folder", "state"]), (True, ["--state-folder=state"]), (False, [])],
)
def test_a_worker_ends_with_its_input_and_leaves_what_it_was_told_to(
    tmp_path: Path, *, is_temporary: bool, place: list[str]
) -> None:
    state = tmp_path / ("state" if place else "spar-worker-state")
    state.mkdir()
    more = ["--temporary-state"] if is_temporary else []
    process = start("--shared-files", "--ends-with-input", *place, *more, folder=tmp_path)
    assert process.stdout is not None
    assert b"listening" in process.stdout.readline()
    (state / "left").write_text("by the worker")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert state.exists() != is_temporary


def test_an_owner_that_is_gone_at_once_ends_a_worker_that_is_still_starting(tmp_path: Path) -> None:
    process = start("--shared-files", "--ends-with-input", folder=tmp_path)
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--temporary-state"], "expected --ends-with-input"),
        (["--temporary-state", "--ends-with-input", "--state-folder", "full"], "expected a new or empty state"),
        (["--temporary-state", "--ends-with-input", "--state-folder", "file"], "expected a new or empty state"),
        (["--ends-with", "--shared-files"], "unrecognized arguments"),
    ],
)
def test_what_would_remove_the_files_of_others_is_refused(
    tmp_path: Path, arguments: list[str], expected: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    (tmp_path / "file").touch()
    before = sorted(os.listdir(tmp_path))
    process = start(*arguments, folder=tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert expected in errors.decode()
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "full" / "mine").exists()
