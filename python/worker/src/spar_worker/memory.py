"""Memory that was freed goes back to the machine, which allocators would keep otherwise."""

import ctypes
import gc
import sys

import torch


def return_memory() -> None:
    """After something large has gone. Takes a tenth of a second or so, so it is nothing for every request."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # Of glibc alone.
        if trim is not None:
            trim(0)
