"""The owner of a worker: the process that started it and holds the other end of its standard input.

When the owner ends, in whatever way, that pipe closes, and the worker ends with it. A thread watches, begun
before anything heavy is imported, so that a worker whose owner dies while it starts is not left behind either.
"""

import argparse
import os
import shutil
import sys
import threading
from pathlib import Path

owned_option = "--ends-with-input"
temporary_option = "--temporary-state"
state_option = "--state-folder"


def add_owner_options(parser: argparse.ArgumentParser) -> None:
    """The options that matter before the others are read."""
    parser.add_argument(
        state_option, type=Path, default=Path("spar-worker-state"), help="where checkpoints lie"
    )
    parser.add_argument(
        owned_option,
        action="store_true",
        help="end when standard input does, as it does with whoever started this",
    )
    parser.add_argument(
        temporary_option,
        action="store_true",
        help=f"remove the state folder, new or empty, when ending with the input: with {owned_option}",
    )


def watch_owner(arguments: list[str]) -> None:
    """Ends this process when standard input does, where the command line asks for it; with exit code 2 for a
    state folder that would be removed with what others have put into it."""
    parser = argparse.ArgumentParser(prog="spar-worker", add_help=False, allow_abbrev=False)
    add_owner_options(parser)
    found, _ = parser.parse_known_args(arguments)
    if found.temporary_state and not found.ends_with_input:
        parser.error(f"expected {owned_option} with {temporary_option}, got none")
    folder: Path | None = found.state_folder if found.temporary_state else None
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        parser.error(f"expected a new or empty state folder with {temporary_option}, got {folder}")
    if not found.ends_with_input:
        return

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    threading.Thread(target=watch, name="owner", daemon=True).start()
