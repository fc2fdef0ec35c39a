"""Weights that leave the machine: archives of checkpoints and the files of exports, behind signed addresses.

Asking for an address takes the key; fetching from it takes none, since official clients send none there.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from ..checkpoints.archive import Content, opened_file, opened_tar
from ..checkpoints.operations import Checkpoints
from ..checkpoints.store import Address, make_address
from ..errors import Failure, WorkerError, invalid_input
from ..wire.results import JsonResult, Result
from .answers import failure_answer
from .futures import Future
from .service import Service, Submission
from .signatures import Signer, again, signed_prefix

logger = logging.getLogger(__name__)

piece_bytes = 1024 * 1024


class DownloadRoutes:
    """Handlers of everything that is fetched as files."""

    def __init__(self, service: Service, checkpoints: Checkpoints, signer: Signer) -> None:
        self._service = service
        self._checkpoints = checkpoints
        self._signer = signer
        self._sending_count = 0
        self._writing: dict[Address, Future] = {}
        """Archives that are being written."""

    def routes(self) -> list[web.RouteDef]:
        """The table of paths."""
        one = "/api/v1/training_runs/{run}/checkpoints/{kind}/{name}"
        signed = signed_prefix + "{run}/{kind}/{name}"
        return [
            web.get(one + "/archive", self.archive),
            web.get(one + "/external_weights_urls", self.file_addresses),
            web.get(signed + "/archive.tar", self.send_archive),
            web.get(signed + "/files/{file:.+}", self.send_file),
        ]

    async def archive(self, request: web.Request) -> web.Response:
        """Where the archive can be fetched; 503 while it is being written."""
        address = _address(request)
        if self._checkpoints.archived(address) is None:
            outcome = await self._write(address)
            if outcome is None:
                raise WorkerError(
                    "not-ready",
                    "expected the archive in time, it is still being written: other work came first",
                    category="server",
                    hint="ask again",
                )
            if isinstance(outcome, Failure):
                return failure_answer(request, outcome)
        url, expires = self._sign(request, address, "archive.tar")
        headers = {"Location": url, "Expires": formatdate(expires, usegmt=True), "Cache-Control": "no-store"}
        return web.Response(status=302, headers=headers)

    async def file_addresses(self, request: web.Request) -> web.Response:
        """Where each file of an export can be fetched."""
        address = _address(request)
        if address.kind != "external_weights":
            raise invalid_input(
                f"expected weights that were exported, got {address}",
                "save_weights_external exports a model; other weights have an archive",
            )
        files = self._checkpoints.archived(address) or {}
        signed = {name: self._sign(request, address, f"files/{quote(name)}") for name in files}
        expires = min((until for _, until in signed.values()), default=int(time.time()))
        date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires))
        urls = {name: url for name, (url, _) in signed.items()}
        return web.json_response({"urls": urls, "expires": date}, headers={"Cache-Control": "no-store"})

    async def send_archive(self, request: web.Request) -> web.StreamResponse:
        """The archive, without a key."""
        return await self._send(request, opened_tar(self._files(_address(request))), "application/x-tar")

    async def send_file(self, request: web.Request) -> web.StreamResponse:
        """A file of an export, without a key."""
        name = request.match_info["file"]
        path = self._files(_address(request)).get(name)
        if path is None:
            raise WorkerError("checkpoint-unknown", f"expected a file of the checkpoint, got {name!r}")
        return await self._send(request, opened_file(path), "application/octet-stream")

    async def _write(self, address: Address) -> Result | Failure | None:
        """Has the archive written on the computing thread, once for all who ask; None when it takes longer."""
        service = self._service
        future = self._writing.get(address)
        if future is None or future.outcome is not None:

            def work(_: object) -> Result:
                self._checkpoints.write_archive(address)
                return JsonResult({})

            def forget(settled: Future) -> None:
                if self._writing.get(address) is settled:
                    del self._writing[address]

            future = service.submit(Submission(None, b""), work, on_settled=forget)
            self._writing[address] = future
        with service.futures.place():
            return await service.futures.wait(future, service.settings.poll_timeout_s)

    def _sign(self, request: web.Request, address: Address, what: str) -> tuple[str, int]:
        place = f"{signed_prefix}{address.run}/{address.kind}/{address.name}/{what}"
        path, expires = self._signer.sign(place)
        return f"{request.url.origin()}{path}", expires

    def _files(self, address: Address) -> Mapping[str, Path]:
        files = self._checkpoints.archived(address)
        if files is None:
            raise WorkerError("checkpoint-unknown", f"expected an archive of {address}, got none", hint=again)
        return files

    async def _send(
        self, request: web.Request, opening: AbstractContextManager[Content], content_type: str
    ) -> web.StreamResponse:
        if self._sending_count >= self._service.settings.download_limit:
            raise WorkerError(
                "not-ready",
                f"expected less than {self._sending_count} downloads at once",
                category="server",
                hint="come back when one of them has ended",
            )
        self._sending_count += 1
        try:
            with opening as content:
                response = web.StreamResponse(
                    headers={"Content-Type": content_type, "Cache-Control": "no-store"}
                )
                response.content_length = content.size_bytes
                await response.prepare(request)
                if request.method != "HEAD":
                    await self._send_parts(request, response, content)
                return response
        finally:
            self._sending_count -= 1

    async def _send_parts(self, request: web.Request, response: web.StreamResponse, content: Content) -> None:
        """What breaks half-way ends the connection: the size that was announced tells the client."""
        try:
            for part in content.parts:
                if isinstance(part, bytes):
                    await self._write_out(response, part)
                    continue
                left = part.size_bytes
                while left > 0:
                    piece = await asyncio.to_thread(part.file.read, min(piece_bytes, left))
                    if not piece:
                        raise OSError("a file became shorter while it was sent")
                    left -= len(piece)
                    await self._write_out(response, piece)
        except (OSError, TimeoutError) as error:
            logger.warning("a download of %s ended early: %s", request.rel_url.raw_path, error or "no progress")
            if request.transport is not None:
                request.transport.abort()

    async def _write_out(self, response: web.StreamResponse, piece: bytes) -> None:
        await asyncio.wait_for(response.write(piece), self._service.settings.download_stall_s)


def _address(request: web.Request) -> Address:
    parts = request.match_info
    return make_address(parts["run"], parts["kind"], parts["name"])
