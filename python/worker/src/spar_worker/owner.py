"""The owner of a worker: the process that started it and holds the other end of its standard input.

When the owner ends, in whatever way, that pipe closes, and the worker ends with it. A thread watches, begun
before anything heavy is imported, so that a worker whose owner dies while it starts is not left behind either.
"""

import os
import shutil
import sys
import threading
from pathlib import Path

owned_option = "--ends-with-input"
temporary_option = "--temporary-state"
state_option = "--state-folder"


def watch_owner(arguments: list[str]) -> None:
    """Ends this process when standard input does, where the command line asks for it."""
    if owned_option not in arguments:
        return
    folder = _temporary_folder(arguments)

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    threading.Thread(target=watch, name="owner", daemon=True).start()


def _temporary_folder(arguments: list[str]) -> Path | None:
    if temporary_option not in arguments or state_option not in arguments[:-1]:
        return None
    return Path(arguments[arguments.index(state_option) + 1])
