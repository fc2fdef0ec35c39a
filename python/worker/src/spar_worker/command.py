"""Reads the command line and serves. Prints where it listens as one line of JSON; what follows is the log."""

import argparse
import asyncio
import json
import logging
import os
import secrets
import signal
import sys
from pathlib import Path

import torch
from aiohttp import web
from transformers.utils import logging as transformers_logging

from .owner import add_owner_options
from .server.app import make_app
from .settings import Settings

key_variable = "SPAR_WORKER_KEY"


def read_arguments(arguments: list[str]) -> Settings:
    """The settings that a command line asks for; ends the process with what was expected where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="spar-worker", description="Serves the Tinker training API with PyTorch.", allow_abbrev=False
    )
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME=FOLDER", help="a base model; repeat it"
    )
    add_owner_options(parser)
    parser.add_argument("--host", default=Settings.host)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default=Settings.precision)
    parser.add_argument("--threads", type=int, default=None, help="of the CPU; default: all cores")
    parser.add_argument(
        "--deterministic", action="store_true", help="the same bits each time, where it is slower"
    )
    parser.add_argument("--gradient-checkpointing", action="store_true", help="less memory, more time")
    parser.add_argument(
        "--token-budget", type=int, default=Settings.token_budget, help="positions per micro-batch"
    )
    parser.add_argument("--held-token-limit", type=int, default=Settings.held_token_limit)
    parser.add_argument("--sequence-limit", type=int, default=Settings.sequence_limit, help="sampled at once")
    parser.add_argument("--cache-token-limit", type=int, default=Settings.cache_token_limit)
    parser.add_argument(
        "--session-timeout-s",
        type=float,
        default=Settings.session_timeout_s,
        help="a client that is silent for so long is gone, and what it held is freed",
    )
    parser.add_argument("--may-download", action="store_true", help="base models may come from the hub")
    parser.add_argument(
        "--shared-files",
        action="store_true",
        help="clients are on this machine and may name its folders: base models, and where states are saved",
    )
    found = parser.parse_args(arguments)
    models: dict[str, Path] = {}
    for entry in found.model:
        name, _, folder = str(entry).rpartition("=")
        models[name or Path(folder).name] = Path(folder)
    if not models and not found.may_download and not found.shared_files:
        parser.error("expected at least one --model NAME=FOLDER, got none")
    for name, path in models.items():
        if not (path / "config.json").is_file():
            parser.error(f"expected a model in the hub's format for {name}, got no config.json in {path}")
    if found.threads is not None:
        torch.set_num_threads(found.threads)
    return Settings(
        models=models,
        state_folder=found.state_folder,
        key=os.environ.get(key_variable) or "tml-" + secrets.token_urlsafe(24),
        host=found.host,
        port=found.port,
        device=found.device,
        precision=found.precision,
        is_deterministic=found.deterministic,
        has_gradient_checkpointing=found.gradient_checkpointing,
        token_budget=found.token_budget,
        held_token_limit=found.held_token_limit,
        sequence_limit=found.sequence_limit,
        cache_token_limit=found.cache_token_limit,
        session_timeout_s=found.session_timeout_s,
        may_download=found.may_download,
        shares_files=found.shared_files,
    )


async def serve(settings: Settings) -> None:
    """Serves until the process is told to end."""
    runner = web.AppRunner(
        make_app(settings),
        access_log=None,
        shutdown_timeout=5.0,
        auto_decompress=False,
        handler_cancellation=True,  # Who hangs up waits for no answer: what was sampled for it stops.
    )
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.port)
    await site.start()
    host, port = runner.addresses[0][:2]
    ready: dict[str, object] = {"event": "listening", "url": f"http://{host}:{port}", "pid": os.getpid()}
    if not os.environ.get(key_variable):
        ready["key"] = settings.key
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    # Whoever started this has read what it wanted to: what libraries print from now on belongs to the log.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    await stopping.wait()
    await runner.cleanup()


def run(arguments: list[str]) -> None:
    """Serves as the command line says, until the process is told to end."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    transformers_logging.disable_progress_bar()
    asyncio.run(serve(read_arguments(arguments)))
