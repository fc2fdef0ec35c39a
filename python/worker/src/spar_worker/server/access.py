"""Who may ask: everybody must show the key; comparisons take the same time whatever was sent."""

import hmac

from aiohttp import web

open_paths = frozenset({"/api/v1/healthz"})


def has_access(request: web.Request, key: str) -> bool:
    """True where the request shows the key, as the wire or as OpenAI clients do."""
    if request.path in open_paths:
        return True
    shown = request.headers.get("X-API-Key")
    if shown is None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        shown = token if scheme.lower() == "bearer" else ""
    return hmac.compare_digest(shown.encode(), key.encode())
