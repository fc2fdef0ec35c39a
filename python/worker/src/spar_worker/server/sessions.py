"""Sessions: what clients opened, what belongs to them, and when they were last heard of."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from ..models.lora import LoraShape
from ..models.versions import Version
from .order import NumberedQueue


@dataclass
class ModelRecord:
    """What the server remembers of a model without touching its tensors."""

    model_id: str
    base_model: str
    lora: LoraShape | None
    queue: NumberedQueue
    user_metadata: dict[str, Any] | None
    facts: dict[str, int] = field(default_factory=dict[str, int])
    """Sizes, once the model is made."""
    last_request_at: float = field(default_factory=time.time)


@dataclass
class SamplerRecord:
    """A sampling session: a version under a name."""

    sampler_id: str
    base_model: str
    model_path: str | None
    version: Version | None = None
    """None until its first use, where it lies on disk."""


@dataclass
class Session:
    """One client."""

    session_id: str
    user_metadata: dict[str, Any] | None
    last_heard_at: float
    models: dict[str, ModelRecord] = field(default_factory=dict[str, ModelRecord])
    samplers: dict[str, SamplerRecord] = field(default_factory=dict[str, SamplerRecord])


class Sessions:
    """All sessions."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._sessions: dict[str, Session] = {}

    def open(self, user_metadata: dict[str, Any] | None) -> Session:
        """A new session, whose id was never used before."""
        session = Session(str(uuid.uuid4()), user_metadata, time.monotonic())
        self._sessions[session.session_id] = session
        return session

    def get(self, session_id: str) -> Session | None:
        """A session that is alive; asking for it counts as a sign of life."""
        session = self._sessions.get(session_id)
        if session is not None:
            session.last_heard_at = time.monotonic()
        return session

    def end(self, session_id: str) -> Session | None:
        """Takes a session out."""
        return self._sessions.pop(session_id, None)

    def silent(self) -> list[str]:
        """Sessions that were not heard of for too long."""
        limit = time.monotonic() - self._timeout_s
        return [s.session_id for s in self._sessions.values() if s.last_heard_at < limit]

    def all(self) -> list[Session]:
        """Every session that is alive."""
        return list(self._sessions.values())

    def model(self, model_id: str) -> ModelRecord | None:
        """A model of any session."""
        for session in self._sessions.values():
            found = session.models.get(model_id)
            if found is not None:
                session.last_heard_at = time.monotonic()
                found.last_request_at = time.time()
                return found
        return None

    def sampler(self, sampler_id: str) -> SamplerRecord | None:
        """A sampling session of any session."""
        for session in self._sessions.values():
            found = session.samplers.get(sampler_id)
            if found is not None:
                session.last_heard_at = time.monotonic()
                return found
        return None
