"""Who may ask: everybody must show the key, or fetch what was signed.

Comparisons take the same time whatever was sent.
"""

import hmac

from aiohttp import web

from ..errors import WorkerError
from .signatures import Signer, signed_prefix

open_paths = frozenset({"/api/v1/healthz"})


def check_access(request: web.Request, key: str, signer: Signer) -> None:
    """Passes a request that shows the key, as the wire or as OpenAI clients do, or a signed address.

    Raises:
        WorkerError: `key-refused`, `address-refused`, `address-expired`.
    """
    path = request.rel_url.raw_path
    if path in open_paths:
        return
    if path.startswith(signed_prefix):
        signer.check(path, request.rel_url.query)
        return
    shown = request.headers.get("X-API-Key")
    if shown is None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        shown = token if scheme.lower() == "bearer" else ""
    if not hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), key.encode()):
        raise WorkerError(
            "key-refused",
            "expected the worker's key, got another or none",
            hint="send the key that the worker printed or was given as X-API-Key",
        )
