"""What is sampled from, by the names under which clients ask: sessions, paths, base models."""

from ..checkpoints.operations import Checkpoints
from ..errors import WorkerError, invalid_input
from ..sampling.requests import Resolve
from .service import Service
from .sessions import SamplerRecord


class Sources:
    """Turns names into versions. Used by every handler that samples."""

    def __init__(self, service: Service, checkpoints: Checkpoints) -> None:
        self._service = service
        self._checkpoints = checkpoints

    def of_session(self, sampler_id: str) -> Resolve:
        """What a sampling session samples from."""
        return self._of_record(self.record(sampler_id))

    def of_base(self, name: str) -> Resolve:
        """A base model as it is."""
        registry = self._service.registry
        registry.folder_of(name)
        return lambda: registry.base_version(name)

    def of_path(self, path: str) -> Resolve:
        """Saved weights. A sampling session's id counts too: that is how unnamed versions are asked for."""
        record = self._service.sessions.sampler(path)
        if record is not None:
            return self._of_record(record)
        self._checkpoints.store.read(self._checkpoints.sampleable(path))
        return lambda: self._checkpoints.version(path)

    def of_model_name(self, name: str) -> Resolve:
        """As OpenAI clients name it: a base model, a path, or `base;path`, whose base must be that of the path.

        Raises:
            WorkerError: `model-unknown`, `checkpoint-unknown`, `invalid-input`.
        """
        base, separator, path = name.partition(";")
        if separator:
            checkpoint = self._checkpoints.store.read(self._checkpoints.sampleable(path))
            if checkpoint.facts["base_model"] != base:
                raise invalid_input(
                    f"expected the base model {checkpoint.facts['base_model']!r} before {path}, got {base!r}"
                )
            return self.of_path(path)
        is_path = name.startswith("tinker://") or self._service.sessions.sampler(name) is not None
        return self.of_path(name) if is_path else self.of_base(name)

    def record(self, sampler_id: str) -> SamplerRecord:
        """A sampling session that is alive.

        Raises:
            WorkerError: `version-unknown`.
        """
        record = self._service.sessions.sampler(sampler_id)
        if record is None:
            raise WorkerError(
                "version-unknown", f"expected a sampling session that is alive, got {sampler_id!r}"
            )
        return record

    def _of_record(self, record: SamplerRecord) -> Resolve:
        version = record.version
        if version is not None:
            return lambda: version
        if record.model_path is not None:
            return self.of_path(record.model_path)
        return self.of_base(record.base_model)
