"""Addresses that need no key: whoever was given one may fetch that one thing, for a while.

The secret is drawn anew with each process, so an address says nothing about the worker's key.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping

from ..errors import WorkerError

signed_prefix = "/api/v1/spar/downloads/"
"""Everything below it is signed, and nothing else is."""


class Signer:
    """Signs paths, and checks what comes back."""

    def __init__(self, life_s: float) -> None:
        self._life_s = life_s
        self._secret = secrets.token_bytes(32)

    def sign(self, path: str) -> tuple[str, int]:
        """A path with its signature, and until when it holds, in seconds since 1970."""
        expires = int(time.time() + self._life_s)
        return f"{path}?expires={expires}&signature={self._signature(path, str(expires))}", expires

    def check(self, path: str, query: Mapping[str, str]) -> None:
        """Passes a path as it was signed, byte for byte, before its time is over.

        Raises:
            WorkerError: `address-refused`, `address-expired`.
        """
        expires, shown = query.get("expires", ""), query.get("signature", "")
        expected = self._signature(path, expires)
        if not hmac.compare_digest(shown.encode("utf-8", "replace"), expected.encode()):
            raise WorkerError(
                "address-refused",
                "expected an address as this worker signed it, got one that was changed or is an earlier one",
                hint=again,
            )
        if int(expires) < time.time():
            raise WorkerError(
                "address-expired", "expected an address whose time is not over, got an older one", hint=again
            )

    def _signature(self, path: str, expires: str) -> str:
        text = f"{path}\n{expires}".encode("utf-8", "replace")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()


again = "ask for the archive again: its address holds for some minutes and until the worker ends"
