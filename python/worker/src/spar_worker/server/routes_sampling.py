"""Sampling sessions, samples, and scores of whole inputs."""

import asyncio

from aiohttp import web

from ..checkpoints.operations import Checkpoints
from ..errors import Failure, failure_of, invalid_input
from ..sampling.requests import Resolve, Ticket, read_request
from ..sampling.sampler import Sampler
from ..sampling.score import score
from ..wire.requests import ChunkBody, CreateSamplingSession, ModelInputBody, Sample, Score
from ..wire.results import Result, SampleOutput
from ..wire.training import ids_of_chunks
from .answers import future_answer, parse, read_bytes
from .service import Service, Submission
from .sessions import SamplerRecord
from .sources import Sources


class SamplingRoutes:
    """Handlers of everything that asks published weights."""

    def __init__(self, service: Service, sampler: Sampler, checkpoints: Checkpoints, sources: Sources) -> None:
        self._service = service
        self._sampler = sampler
        self._checkpoints = checkpoints
        self._sources = sources

    def routes(self) -> list[web.RouteDef]:
        """The table of paths."""
        return [
            web.post("/api/v1/create_sampling_session", self.create),
            web.get("/api/v1/samplers/{sampler_id}", self.get_sampler),
            web.post("/api/v1/asample", self.sample),
            web.post("/api/v1/spar/score", self.score),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Opens a sampling session; the same number again gives the same one."""
        body = parse(CreateSamplingSession, await self._read(request))
        session = self._service.session(body.session_id)
        sampler_id = f"{body.session_id}:sample:{body.sampling_session_seq_id}"
        if body.model_path is not None:
            checkpoint = self._checkpoints.store.read(self._checkpoints.sampleable(body.model_path))
            base_model = str(checkpoint.facts["base_model"])
        elif body.base_model is not None:
            base_model = body.base_model
            self._service.registry.folder_of(base_model)
        else:
            raise invalid_input("expected base_model or model_path, got neither")
        session.samplers.setdefault(sampler_id, SamplerRecord(sampler_id, base_model, body.model_path))
        return web.json_response({"type": "create_sampling_session", "sampling_session_id": sampler_id})

    async def get_sampler(self, request: web.Request) -> web.Response:
        """What a sampling session samples from."""
        record = self._sources.record(request.match_info["sampler_id"])
        fields = {
            "sampler_id": record.sampler_id,
            "base_model": record.base_model,
            "model_path": record.model_path,
        }
        return web.json_response({name: value for name, value in fields.items() if value is not None})

    async def sample(self, request: web.Request) -> web.Response:
        """Hands a request to the sampler."""
        raw = await self._read(request)
        body = parse(Sample, raw)
        sampling = read_request(body, ids_of_chunks(body.prompt.chunks))
        resolve = self._source(body)
        key = None
        if body.sampling_session_id is not None and body.seq_id is not None:
            key = ("sample", body.sampling_session_id, body.seq_id)
        service = self._service
        loop = asyncio.get_running_loop()
        future, is_new = service.register(Submission(key, raw))
        if not is_new:
            return future_answer(future)
        future.fields["sample_sequence_ids"] = [f"{future.request_id}:{i}" for i in range(sampling.count)]

        def tell(outcome: SampleOutput | Failure) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(service.futures.settle, future, outcome)

        ticket = Ticket(
            request=sampling,
            resolve=resolve,
            on_result=tell,
            on_error=lambda error: tell(failure_of(error)),
        )

        def cancel() -> None:
            ticket.is_cancelled.set()
            service.compute.wake()

        future.cancel = cancel
        self._sampler.submit(ticket)
        service.compute.wake()
        return future_answer(future)

    async def score(self, request: web.Request) -> web.Response:
        """Values or embeddings of whole inputs."""
        raw = await self._read(request)
        body = parse(Score, raw)
        inputs = [ids_of_chunks(_chunks(entry)) for entry in body.inputs]
        if not inputs:
            raise invalid_input("expected at least one input, got none")
        registry = self._service.registry
        resolve = self._sources.of_path(body.model_path)

        def work(job: object) -> Result:
            del job
            return score(
                registry.views, resolve(), inputs, body.output, token_budget=registry.settings.token_budget
            )

        return future_answer(self._service.submit(Submission(None, raw), work))

    def _source(self, body: Sample) -> Resolve:
        if body.sampling_session_id is not None:
            return self._sources.of_session(body.sampling_session_id)
        if body.model_path is not None:
            return self._sources.of_path(body.model_path)
        if body.base_model is not None:
            return self._sources.of_base(body.base_model)
        raise invalid_input("expected sampling_session_id, model_path or base_model, got none of them")

    async def _read(self, request: web.Request) -> bytes:
        return await read_bytes(request, self._service.settings.body_limit_bytes)


def _chunks(entry: ModelInputBody | list[ChunkBody]) -> list[ChunkBody]:
    return entry if isinstance(entry, list) else entry.chunks
