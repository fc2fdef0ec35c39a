"""The paths that OpenAI clients ask: models, chat completions, completions.

They lie under `/v1`, where such clients look, and under the path at which the hosted service has them.
"""

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from aiohttp import web

from ..errors import failure_of, invalid_input
from ..openai.answers import Finish, TokenNote, Writer, usage_of
from ..openai.bodies import ChatBody, CompletionBody, TextBody
from ..openai.reply_text import ReplyText
from ..openai.run import CompletionRun, Started
from ..sampling.sampler import Sampler
from .answers import openai_error, parse, read_bytes
from .service import Service
from .sources import Sources

roots = ("/v1", "/oai/api/v1")


@dataclass
class _Choice:
    text: ReplyText
    written: str = ""
    notes: list[TokenNote] = field(default_factory=list[TokenNote])
    finish: Finish | None = None


class OpenAiRoutes:
    """Handlers of the protocol."""

    def __init__(self, service: Service, sampler: Sampler, sources: Sources) -> None:
        self._service = service
        self._sampler = sampler
        self._sources = sources

    def routes(self) -> list[web.RouteDef]:
        """The table of paths."""
        return [
            route
            for root in roots
            for route in (
                web.get(root + "/models", self.list_models),
                web.get(root + "/models/{name:.+}", self.get_model),
                web.post(root + "/chat/completions", self.chat),
                web.post(root + "/completions", self.complete),
            )
        ]

    async def list_models(self, _: web.Request) -> web.Response:
        """Base models, and what was saved for sampling."""
        names = sorted(self._service.settings.models)
        saved = [c for c in self._service.store.list() if c.address.kind == "sampler_weights"]
        entries = [_model(name) for name in names]
        entries += [
            _model(str(c.address), created=int(float(c.facts["created_at"])), parent=str(c.facts["base_model"]))
            for c in saved
        ]
        return web.json_response({"object": "list", "data": entries})

    async def get_model(self, request: web.Request) -> web.Response:
        """Whether there is one of this name."""
        name = request.match_info["name"]
        self._sources.of_model_name(name)
        return web.json_response(_model(name))

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """The next message of a chat."""
        return await self._answer(request, parse(ChatBody, await self._read(request)))

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """How a text goes on."""
        return await self._answer(request, parse(TextBody, await self._read(request)))

    async def _answer(self, request: web.Request, body: CompletionBody) -> web.StreamResponse:
        body.check()
        if body.limit() == 0:
            raise invalid_input("expected max_tokens of at least 1, got 0")
        resolve = self._sources.of_model_name(body.model)
        timeout_s = self._service.settings.completion_timeout_s
        with self._service.futures.place():
            async with CompletionRun(self._service.compute, self._sampler, body, resolve) as run:
                started = await run.started(timeout_s)
                writer = Writer(
                    kind="chat" if isinstance(body, ChatBody) else "text",
                    model=body.model,
                    tokenizer=started.tokenizer,
                    has_logprobs=body.top_count() is not None,
                )
                choices = [
                    _Choice(ReplyText(started.tokenizer, body.stops, started.end_token_ids))
                    for _ in range(started.choice_count)
                ]
                pieces = _pieces(run, choices, writer, timeout_s)
                if body.stream:
                    return await _stream(request, body, pieces, lambda: _usage(started, choices), writer)
                async for _ in pieces:
                    pass
        whole = [
            writer.choice(index, choice.written, choice.finish, choice.notes)
            for index, choice in enumerate(choices)
        ]
        return web.json_response(writer.whole(whole, _usage(started, choices)))

    async def _read(self, request: web.Request) -> bytes:
        return await read_bytes(request, self._service.settings.body_limit_bytes)


async def _pieces(
    run: CompletionRun, choices: list[_Choice], writer: Writer, timeout_s: float
) -> AsyncGenerator[dict[str, object]]:
    """Adds token after token to the choices, and gives what is new as pieces of a stream."""
    pending: dict[int, list[TokenNote]] = {}
    async for token in run.tokens(len(choices), timeout_s):
        choice = choices[token.choice]
        choice.notes.append(token.note)
        pending.setdefault(token.choice, []).append(token.note)
        more = choice.text.push(token.note.token_id)
        if token.finish is not None:
            choice.finish = token.finish
            more += choice.text.finish()
        if more or token.finish is not None:
            notes = pending.pop(token.choice)
            yield writer.piece(token.choice, more, token.finish, notes, offset=len(choice.written))
            choice.written += more


async def _stream(
    request: web.Request,
    body: CompletionBody,
    pieces: AsyncGenerator[dict[str, object]],
    usage: Callable[[], dict[str, int]],
    writer: Writer,
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)

    async def send(value: object) -> None:
        await response.write(b"data: " + json.dumps(value).encode() + b"\n\n")

    try:
        async for piece in pieces:
            await send(piece)
        if body.stream_options is not None and body.stream_options.include_usage:
            await send(writer.usage_piece(usage()))
        await response.write(b"data: [DONE]\n\n")
    except Exception as error:  # The status is out already: the error is the last piece.
        await send(openai_error(failure_of(error).as_json()))
    await response.write_eof()
    return response


def _usage(started: Started, choices: list[_Choice]) -> dict[str, int]:
    return usage_of(started.prompt_tokens, sum(len(choice.notes) for choice in choices))


def _model(name: str, *, created: int = 0, parent: str | None = None) -> dict[str, object]:
    return {"id": name, "object": "model", "created": created, "owned_by": "spar", "parent": parent}
