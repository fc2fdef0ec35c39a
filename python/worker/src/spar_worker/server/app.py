"""Puts a worker together, and serves it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import torch
from aiohttp import web

from ..checkpoints.operations import Checkpoints
from ..checkpoints.store import CheckpointStore
from ..compute import ComputeThread
from ..models.registry import Registry
from ..sampling.sampler import Sampler
from ..settings import Settings
from .answers import make_middleware
from .futures import FutureStore
from .routes_checkpoints import CheckpointRoutes
from .routes_downloads import DownloadRoutes
from .routes_openai import OpenAiRoutes
from .routes_sampling import SamplingRoutes
from .routes_service import ServiceRoutes
from .routes_training import TrainingRoutes
from .service import Service
from .sessions import Sessions
from .signatures import Signer
from .sources import Sources

tidy_interval_s = 5.0


def make_app(settings: Settings) -> web.Application:
    """A worker behind its paths."""
    if settings.is_deterministic:
        torch.use_deterministic_algorithms(True)
    registry = Registry(settings)
    sampler = Sampler(
        registry.views,
        sequence_limit=settings.sequence_limit,
        cache_token_limit=settings.cache_token_limit,
        prefill_token_budget=settings.token_budget,
    )
    store = CheckpointStore(settings.state_folder, archive_life_s=2 * settings.download_life_s)
    checkpoints = Checkpoints(store, registry)
    service = Service(
        settings=settings,
        registry=registry,
        store=store,
        compute=ComputeThread(sampler),
        sessions=Sessions(settings.session_timeout_s),
        futures=FutureStore(waiting_limit=settings.waiting_limit, lifetime_s=settings.result_lifetime_s),
    )
    sources = Sources(service, checkpoints)
    signer = Signer(settings.download_life_s)
    app = web.Application(
        client_max_size=settings.body_limit_bytes, middlewares=[make_middleware(settings.key, signer)]
    )
    for part in (
        ServiceRoutes(service),
        TrainingRoutes(service),
        SamplingRoutes(service, sampler, checkpoints, sources),
        OpenAiRoutes(service, sampler, sources),
        CheckpointRoutes(service, checkpoints),
        DownloadRoutes(service, checkpoints, signer),
    ):
        app.add_routes(part.routes())

    async def tidying(_: web.Application) -> AsyncIterator[None]:
        async def tidy() -> None:
            while True:
                await asyncio.sleep(tidy_interval_s)
                service.tidy()

        task = asyncio.create_task(tidy())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        service.close()

    app.cleanup_ctx.append(tidying)
    return app
