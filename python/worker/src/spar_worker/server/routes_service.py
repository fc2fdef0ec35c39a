"""Health, capabilities, sessions, and the fetching of results."""

from aiohttp import web

from .. import __version__
from ..errors import Failure
from ..models.capabilities import capabilities
from ..wire.requests import CreateSession, RetrieveFuture, SessionReference
from ..wire.results import JsonResult, encode_json, encode_message
from .answers import parse, read_bytes
from .service import Service

protobuf = "application/x-protobuf"


class ServiceRoutes:
    """Handlers that every client needs first."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The table of paths."""
        return [
            web.get("/api/v1/healthz", self.health),
            web.post("/api/v1/client/config", self.client_config),
            web.post("/api/v1/client/dynamic_config", self.dynamic_config),
            web.get("/api/v1/get_server_capabilities", self.capabilities),
            web.post("/api/v1/create_session", self.create_session),
            web.post("/api/v1/session_heartbeat", self.heartbeat),
            web.post("/api/v1/sessions/{session_id}/finish", self.finish),
            web.get("/api/v1/sessions", self.list_sessions),
            web.get("/api/v1/sessions/{session_id}", self.get_session),
            web.post("/api/v1/telemetry", self.telemetry),
            web.post("/api/v1/retrieve_future", self.retrieve),
            web.post("/api/v1/cancel_future", self.cancel),
        ]

    async def health(self, _: web.Request) -> web.Response:
        """Tells that the worker listens; needs no key."""
        return web.json_response({"status": "ok"})

    async def client_config(self, _: web.Request) -> web.Response:
        """Flags that tell official clients how to speak."""
        return web.json_response(
            {
                "pjwt_auth_enabled": False,
                "proto_write_fwdbwd": True,
                "fwd_via_fwdbwd": True,
                "proto_compress_fwdbwd": False,
                "parallel_fwdbwd_chunks": True,
                "create_model_via_load_weights": True,
            }
        )

    async def dynamic_config(self, _: web.Request) -> web.Response:
        """Flags that may change while a client lives."""
        return web.json_response(
            {"refresh_interval_sec": 3600, "sample_cancel_enabled": True, "sample_cancel_max_batch_size": 64}
        )

    async def capabilities(self, _: web.Request) -> web.Response:
        """Which models there are, and what the worker can do beyond the wire."""
        settings = self._service.settings
        models = [
            {"model_name": name, "trainable": True, "sampleable": True} for name in sorted(settings.models)
        ]
        spar = {
            "protocol": 1,
            "executor": f"torch:{settings.device}",
            "precision": settings.precision,
            "software": f"spar-worker {__version__}",
            "capabilities": capabilities(settings),
            "shares_files": settings.shares_files,
        }
        return web.json_response({"supported_models": models, "spar": spar})

    async def create_session(self, request: web.Request) -> web.Response:
        """Opens a session."""
        body = parse(CreateSession, await read_bytes(request, self._service.settings.body_limit_bytes))
        session = self._service.sessions.open(body.user_metadata)
        return web.json_response({"type": "create_session", "session_id": session.session_id})

    async def heartbeat(self, request: web.Request) -> web.Response:
        """Keeps a session alive."""
        body = parse(SessionReference, await read_bytes(request, self._service.settings.body_limit_bytes))
        self._service.session(body.session_id)
        return web.json_response({"type": "session_heartbeat"})

    async def finish(self, request: web.Request) -> web.Response:
        """Ends a session and frees what it held."""
        self._service.end_session(request.match_info["session_id"])
        return web.json_response({})

    async def list_sessions(self, _: web.Request) -> web.Response:
        """The sessions that are alive."""
        return web.json_response({"sessions": [s.session_id for s in self._service.sessions.all()]})

    async def get_session(self, request: web.Request) -> web.Response:
        """What belongs to a session."""
        session = self._service.session(request.match_info["session_id"])
        return web.json_response(
            {
                "training_run_ids": list(session.models),
                "sampler_ids": list(session.samplers),
                "user_metadata": session.user_metadata,
            }
        )

    async def telemetry(self, _: web.Request) -> web.Response:
        """Takes what official clients report about themselves, and keeps nothing."""
        return web.json_response({"status": "accepted"})

    async def retrieve(self, request: web.Request) -> web.Response:
        """The result of a future, or that it takes longer."""
        settings = self._service.settings
        body = parse(RetrieveFuture, await read_bytes(request, settings.body_limit_bytes))
        future = self._service.futures.get(body.request_id)
        if future is None:
            error = f"expected a future that is kept, got {body.request_id!r}"
            return web.json_response({"error": error, "category": "server", "code": "future-gone"}, status=410)
        outcome = await self._service.futures.wait(future, settings.poll_timeout_s)
        if outcome is None:
            again = {"type": "try_again", "request_id": future.request_id, "queue_state": "active"}
            return web.json_response(again, status=408)
        if isinstance(outcome, Failure):
            return web.json_response(outcome.as_json())
        if protobuf in request.headers.get("Accept", "") and not isinstance(outcome, JsonResult):
            return web.Response(body=encode_message(outcome), content_type=protobuf)
        return web.json_response(encode_json(outcome))

    async def cancel(self, request: web.Request) -> web.Response:
        """Stops work that nobody waits for; what is done already stays done."""
        body = parse(RetrieveFuture, await read_bytes(request, self._service.settings.body_limit_bytes))
        future = self._service.futures.get(body.request_id)
        if future is not None and future.outcome is None:
            future.cancel()
        return web.json_response({})
