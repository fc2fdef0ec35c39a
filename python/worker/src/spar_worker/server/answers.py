"""Answers of the HTTP layer: bodies read with a limit, errors as JSON, futures as the wire names them."""

from collections.abc import Mapping
from typing import TypeVar

import zstandard
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import BaseModel, ValidationError

from ..errors import Failure, WorkerError, failure_of, invalid_input
from .access import check_access
from .futures import Future, NumberTakenError, TooManyWaitingError
from .signatures import Signer

Body = TypeVar("Body", bound=BaseModel)

_statuses = {
    "key-refused": 401,
    "address-refused": 403,
    "address-expired": 403,
    "model-unknown": 404,
    "version-unknown": 404,
    "checkpoint-unknown": 404,
    "session-ended": 410,
    "model-released": 404,
    "body-too-large": 413,
    "deadline-exceeded": 504,
    "not-ready": 503,
}


async def read_bytes(request: web.Request, limit_bytes: int) -> bytes:
    """The body, decompressed where it says that it is compressed.

    Raises:
        WorkerError: `body-too-large`, also where it is so after decompression only.
    """
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_large(limit_bytes) from error
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding == "identity":
        return body
    if encoding != "zstd":
        raise invalid_input(f"expected a body in zstd or plain, got {encoding}")
    try:
        with zstandard.ZstdDecompressor().stream_reader(body) as reader:
            plain = reader.read(limit_bytes + 1)
    except zstandard.ZstdError as error:
        raise invalid_input(f"expected a body in zstd, got: {error}") from error
    if len(plain) > limit_bytes:
        raise _too_large(limit_bytes)
    return plain


def _too_large(limit_bytes: int) -> WorkerError:
    return WorkerError("body-too-large", f"expected a body of at most {limit_bytes} bytes, got a larger one")


def parse(model: type[Body], body: bytes) -> Body:
    """A JSON body.

    Raises:
        WorkerError: `invalid-input`, with what pydantic found.
    """
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()[:5]
        )
        raise invalid_input(f"expected a body of {model.__name__}, got: {found}") from error


def future_answer(future: Future) -> web.Response:
    """What a submission is answered with."""
    fields: dict[str, object] = {"request_id": future.request_id}
    if future.model_id is not None:
        fields["model_id"] = future.model_id
    return web.json_response(fields | future.fields)


def error_answer(request: web.Request, error: BaseException) -> web.Response:
    """An error as JSON; the status says whether asking again may help."""
    return failure_answer(request, failure_of(error))


def failure_answer(request: web.Request, failure: Failure) -> web.Response:
    """The same for one that happened elsewhere."""
    status = _statuses.get(failure.code, 400 if failure.category == "user" else 500)
    return _refusal(request, status, failure.as_json() | {"detail": failure.message})


def openai_error(fields: Mapping[str, object]) -> dict[str, object]:
    """An error as OpenAI clients read it; they show the message alone, so the hint is part of it."""
    hint = fields.get("hint")
    return {
        "error": {
            "message": str(fields["error"]) if hint is None else f"{fields['error']}; {hint}",
            "type": "invalid_request_error" if fields["category"] == "user" else "server_error",
            "param": None,
            "code": fields.get("code"),
            "traceback": fields.get("traceback"),
        }
    }


def _refusal(request: web.Request, status: int, fields: Mapping[str, object]) -> web.Response:
    is_openai = not request.path.startswith("/api/")
    return web.json_response(openai_error(fields) if is_openai else fields, status=status)


def make_middleware(key: str, signer: Signer) -> Middleware:
    """Access and errors, around every handler."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            check_access(request, key, signer)
        except WorkerError as error:  # Who may not ask is told no more than that.
            fields = {"error": str(error), "category": error.category, "code": error.code, "hint": error.hint}
            return _refusal(request, _statuses[error.code], fields | {"detail": str(error)})
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except TooManyWaitingError:
            return _refusal(request, 429, {"error": "too many requests wait", "category": "server"})
        except NumberTakenError:
            error = "a request with this number came before, with another body"
            return _refusal(request, 409, {"error": error, "category": "user", "code": "number-taken"})
        except Exception as error:
            return error_answer(request, error)

    return middleware
