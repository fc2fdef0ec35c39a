"""Checkpoints as folders: addresses, atomic writing, lists, deletion, and times to live.

A checkpoint is complete or absent: it is written beside its place and moved there. What is in it is the
business of others; the store knows `checkpoint.json` alone.
"""

import json
import logging
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import quote, unquote, urlsplit

from ..errors import WorkerError, invalid_input

logger = logging.getLogger(__name__)

Kind = Literal["weights", "sampler_weights", "external_weights"]
kinds: tuple[Kind, ...] = ("weights", "sampler_weights", "external_weights")
kind_names: dict[Kind, str] = {
    "weights": "training",
    "sampler_weights": "sampler",
    "external_weights": "external",
}
facts_name = "checkpoint.json"
archive_name = "archive"
"""Below a checkpoint: the same weights in the hub's formats, for a while after somebody asked for them."""
_name_pattern = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
_run_pattern = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,254}")


@dataclass(frozen=True)
class Address:
    """`tinker://RUN/KIND/NAME`."""

    run: str
    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"tinker://{self.run}/{self.kind}/{self.name}"


def make_address(run: str, kind: str, name: str) -> Address:
    """An address of checked parts.

    Raises:
        WorkerError: `invalid-input`.
    """
    if not _run_pattern.fullmatch(run):
        raise invalid_input(f"expected the id of a model, got {run!r}")
    if not _name_pattern.fullmatch(name):
        raise invalid_input(f"expected a name of letters, digits, '_', '-' and '.', got {name!r}")
    for known in kinds:
        if known == kind:
            return Address(run, known, name)
    raise invalid_input(f"expected weights of {', '.join(kinds)}, got {kind!r}")


def parse_address(text: str) -> Address:
    """The parts of an address.

    Raises:
        WorkerError: `invalid-input`.
    """
    parts = text.removeprefix("tinker://").split("/")
    if not text.startswith("tinker://") or len(parts) != 3:
        raise invalid_input(f"expected an address tinker://RUN/weights/NAME, got {text!r}")
    return make_address(parts[0], parts[1], parts[2])


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that is there."""

    address: Address
    folder: Path
    facts: Mapping[str, Any]

    def as_json(self) -> dict[str, object]:
        """As the wire lists it."""
        expires_at: float | None = self.facts.get("expires_at")
        return {
            "checkpoint_id": f"{self.address.kind}/{self.address.name}",
            "checkpoint_type": kind_names[self.address.kind],
            "time": _date(float(self.facts["created_at"])),
            "tinker_path": str(self.address),
            "size_bytes": sum(f.stat().st_size for f in self.folder.iterdir() if f.is_file()),
            "public": False,
            "user_metadata": self.facts.get("user_metadata"),
            "expires_at": None if expires_at is None else _date(expires_at),
        }


def folder_of_path(path: str) -> Path | None:
    """The folder that a path like `file:///states/one` names; None for addresses of the store."""
    parts = urlsplit(path)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def write_folder(folder: Path, facts: Mapping[str, Any], fill: Callable[[Path], None]) -> None:
    """Writes a checkpoint where a client wants it, without the time: equal states are equal files.

    Raises:
        WorkerError: `invalid-input` where the folder exists, or cannot be made.
    """
    try:
        folder.mkdir()
    except OSError as error:
        raise invalid_input(f"expected a folder that can be made, got {folder}: {error}") from error
    try:
        fill(folder)
        (folder / facts_name).write_text(json.dumps({**facts, "format": 1}, sort_keys=True))
        _flush(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def read_folder(folder: Path) -> Checkpoint:
    """A checkpoint that `write_folder` wrote.

    Raises:
        WorkerError: `state-unreadable`.
    """
    try:
        facts = json.loads((folder / facts_name).read_text())
    except (OSError, ValueError) as error:
        raise WorkerError("state-unreadable", f"expected a saved state in {folder}, got: {error}") from error
    # It lies outside of the store: its address is for messages alone.
    return Checkpoint(Address("file", "weights", folder.name), folder, facts)


class CheckpointStore:
    """All checkpoints below one folder."""

    def __init__(self, folder: Path, *, archive_life_s: float = 1800.0) -> None:
        self._folder = folder
        self._archive_life_s = archive_life_s
        self._warned: set[Path] = set()
        self._recover()

    def write(
        self,
        address: Address,
        facts: Mapping[str, Any],
        fill: Callable[[Path], None],
        *,
        time_to_live_s: int | None = None,
        is_overwriting: bool = False,
    ) -> Checkpoint:
        """Writes a checkpoint; `fill` puts files into an empty folder.

        Raises:
            WorkerError: `checkpoint-exists`.
        """
        place = self._place(address)
        if place.exists() and not is_overwriting:
            raise WorkerError(
                "checkpoint-exists",
                f"expected a new name, got {address}",
                hint="choose another name, or overwrite",
            )
        now = time.time()
        all_facts = {**facts, "created_at": now, "format": 1}
        if time_to_live_s is not None:
            all_facts["expires_at"] = now + time_to_live_s
        partial = _beside(place, "partial")
        partial.mkdir(parents=True)
        try:
            fill(partial)
            (partial / facts_name).write_text(json.dumps(all_facts))
            _flush(partial)
            if place.exists():
                old = _beside(place, "old")
                place.rename(old)
                try:
                    partial.rename(place)
                except BaseException:
                    old.rename(place)
                    raise
                shutil.rmtree(old, ignore_errors=True)
            else:
                partial.rename(place)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        return Checkpoint(address, place, all_facts)

    def read(self, address: Address) -> Checkpoint:
        """A checkpoint that is there.

        Raises:
            WorkerError: `checkpoint-unknown`, `state-unreadable`.
        """
        place = self._place(address)
        try:
            facts = json.loads((place / facts_name).read_text())
        except OSError as error:
            raise WorkerError("checkpoint-unknown", f"expected a checkpoint, got none at {address}") from error
        except ValueError as error:
            raise WorkerError("state-unreadable", f"expected the facts of {address}, got: {error}") from error
        found = Checkpoint(address, place, facts)
        if _is_expired(found):
            raise WorkerError("checkpoint-unknown", f"expected a checkpoint, got one that expired at {address}")
        return found

    def list(self, run: str | None = None) -> list[Checkpoint]:
        """All checkpoints, or those of a run, oldest first."""
        found = [checkpoint for checkpoint in self._all() if run is None or checkpoint.address.run == run]
        return sorted(found, key=lambda c: float(c.facts["created_at"]))

    def delete(self, address: Address) -> None:
        """Removes a checkpoint.

        Raises:
            WorkerError: `checkpoint-unknown`.
        """
        _remove(self.read(address).folder)

    def set_time_to_live(self, address: Address, time_to_live_s: int | None) -> None:
        """Counts from now on; None keeps it for good."""
        found = self.read(address)
        facts = {key: value for key, value in found.facts.items() if key != "expires_at"}
        if time_to_live_s is not None:
            facts["expires_at"] = time.time() + time_to_live_s
        partial = found.folder / f"{facts_name}.partial"
        partial.write_text(json.dumps(facts))
        partial.replace(found.folder / facts_name)

    def purge(self) -> None:
        """Removes what expired, and archives that nobody asked for lately."""
        for checkpoint in self._all():
            if _is_expired(checkpoint):
                _remove(checkpoint.folder)
                continue
            for folder in checkpoint.folder.glob(f"{archive_name}*"):
                if time.time() - folder.stat().st_mtime > self._archive_life_s:
                    shutil.rmtree(folder, ignore_errors=True)

    def keep_archive(self, checkpoint: Checkpoint) -> bool:
        """Keeps the archive of a checkpoint for another while; False where there is none."""
        try:
            os.utime(checkpoint.folder / archive_name)
        except FileNotFoundError:
            return False
        return True

    def write_archive(self, checkpoint: Checkpoint, fill: Callable[[Path], None]) -> None:
        """Writes the archive of a checkpoint; `fill` puts files into an empty folder."""
        partial = checkpoint.folder / f"{archive_name}.{uuid.uuid4().hex}.partial"
        partial.mkdir()
        try:
            fill(partial)
            _flush(partial)
            partial.rename(checkpoint.folder / archive_name)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def _place(self, address: Address) -> Path:
        return self._folder / quote(address.run, safe="") / address.kind / address.name

    def _all(self) -> Iterator[Checkpoint]:
        for file in self._folder.glob(f"*/*/*/{facts_name}"):
            run, kind, name = unquote(file.parts[-4]), file.parts[-3], file.parts[-2]
            if kind in kinds and not name.startswith("."):
                try:
                    facts = cast("dict[str, Any]", json.loads(file.read_text()))
                    yield Checkpoint(make_address(run, kind, name), file.parent, facts)
                except (OSError, ValueError, WorkerError) as error:
                    self._warn(file, error)

    def _warn(self, file: Path, error: Exception) -> None:
        """Once for each: one that cannot be read hides no other. One that was just removed is none."""
        if file.exists() and file not in self._warned:
            self._warned.add(file)
            logger.warning("a checkpoint cannot be read and is left out: %s: %s", file, error)

    def _recover(self) -> None:
        """Of a worker that was killed: what it had moved aside comes back, what it had not finished goes."""
        for aside in self._folder.glob("*/*/.*"):
            match = _aside_pattern.fullmatch(aside.name)
            if match is None:
                continue
            place = aside.parent / match["name"]
            if match["what"] == "old" and not place.exists():
                aside.rename(place)
            elif time.time() - aside.stat().st_mtime > _aside_life_s:
                shutil.rmtree(aside, ignore_errors=True)


_aside_pattern = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{32}\.(?P<what>partial|old|gone)")
_aside_life_s = 3600.0
"""Longer than anybody writes: another worker may have the same folder."""


def _beside(place: Path, what: str) -> Path:
    return place.parent / f".{place.name}.{uuid.uuid4().hex}.{what}"


def _remove(folder: Path) -> None:
    """Gone at once or not at all, whatever happens while its files are removed."""
    gone = _beside(folder, "gone")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _is_expired(checkpoint: Checkpoint) -> bool:
    expires_at: float | None = checkpoint.facts.get("expires_at")
    return expires_at is not None and expires_at < time.time()


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _flush(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
