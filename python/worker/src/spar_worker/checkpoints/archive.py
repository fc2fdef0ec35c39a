"""Files of a checkpoint as one tar, part by part: nothing of it is held in memory but what is being sent.

All files are opened before the first byte is sent, so that what is deleted or replaced meanwhile is sent whole.
"""

import os
import tarfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import WorkerError

complete_name = "checkpoint_complete"
"""An empty file at the end: official clients take an archive without it for one that was cut."""


@dataclass(frozen=True)
class FilePart:
    """So many bytes of an open file, from its beginning."""

    file: BinaryIO
    size_bytes: int


@dataclass(frozen=True)
class Content:
    """What is sent, in order."""

    parts: list[bytes | FilePart]

    @property
    def size_bytes(self) -> int:
        """All parts together."""
        return sum(len(p) if isinstance(p, bytes) else p.size_bytes for p in self.parts)


@contextmanager
def opened_tar(files: Mapping[str, Path]) -> Generator[Content]:
    """A tar of these files by name."""
    with ExitStack() as stack:
        parts: list[bytes | FilePart] = []
        for name, path in files.items():
            part = _open(stack, path)
            parts += [_header(name, part.size_bytes), part, bytes(-part.size_bytes % tarfile.BLOCKSIZE)]
        parts += [_header(complete_name, 0), bytes(2 * tarfile.BLOCKSIZE)]
        yield Content(parts)


@contextmanager
def opened_file(path: Path) -> Generator[Content]:
    """One file as it is."""
    with ExitStack() as stack:
        yield Content([_open(stack, path)])


def _open(stack: ExitStack, path: Path) -> FilePart:
    try:
        file = stack.enter_context(path.open("rb"))
    except OSError as error:
        raise WorkerError("checkpoint-unknown", f"expected {path.name} of the checkpoint, got none") from error
    return FilePart(file, os.fstat(file.fileno()).st_size)


def _header(name: str, size_bytes: int) -> bytes:
    """Says no time and no owner: equal files are equal archives."""
    info = tarfile.TarInfo(name)
    info.size = size_bytes
    return info.tobuf(tarfile.PAX_FORMAT)
