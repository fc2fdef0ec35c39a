"""How a worker was started. Made by the command line and by tests; read by everything, changed by nothing."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Settings:
    """All options of a worker, with their units."""

    models: dict[str, Path]
    """Base models by the name under which clients ask for them: folders in the hub's format."""
    state_folder: Path
    """Where checkpoints lie; they outlive the process."""
    key: str
    """What clients must send as `X-API-Key`."""
    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free one."""
    device: str = "cpu"
    precision: Precision = "float32"
    is_deterministic: bool = False
    """Refuses operations whose bits may differ between runs."""
    has_gradient_checkpointing: bool = False
    """Trades time for memory in the backward pass."""
    token_budget: int = 2048
    """Positions of one micro-batch and of one prefill, padding included."""
    held_token_limit: int = 8192
    """Positions of a batch whose graph may wait for the gradients of its caller."""
    held_graph_timeout_s: float = 120.0
    """How long such a graph waits."""
    sequence_limit: int = 64
    """Sequences that are sampled at the same time."""
    cache_token_limit: int = 262_144
    """Positions that the caches of all sampled sequences may hold together."""
    waiting_limit: int = 4096
    """Requests that may wait, of all kinds; more are told to come back later."""
    body_limit_bytes: int = 256 * 1024 * 1024
    poll_timeout_s: float = 20.0
    """How long a poll for a result is held open."""
    completion_timeout_s: float = 1800.0
    """How long an OpenAI client waits for its answer."""
    sequence_gap_timeout_s: float = 600.0
    """How long a request waits for one with a smaller sequence number."""
    result_lifetime_s: float = 900.0
    """How long a result is kept for those who ask again."""
    download_life_s: float = 900.0
    """How long the address of an archive holds."""
    download_limit: int = 8
    """Archives and files that are sent at once; who comes then is told to come back."""
    download_stall_s: float = 60.0
    """A client that takes nothing for so long is cut off."""
    session_timeout_s: float = 900.0
    """A session without a heartbeat for so long is ended and what it held is freed."""
    may_download: bool = field(default=False)
    """False: models come from folders alone."""
    shares_files: bool = False
    """Clients are on this machine: they may name folders of it, for base models and for states."""
