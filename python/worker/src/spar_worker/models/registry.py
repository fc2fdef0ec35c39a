"""What is alive on the computing thread: bases by name, trained models by id, views of versions."""

from collections import deque
from pathlib import Path
from weakref import WeakValueDictionary

from ..errors import WorkerError
from ..memory import return_memory
from ..settings import Settings
from ..training.held import HeldGraph
from .base import BaseModel
from .trained import TrainedModel, Tuning
from .versions import Version, Views

recent_version_limit = 4
"""How many versions stay in memory though nobody holds them."""


class Registry:
    """Owns everything that holds tensors. Only the computing thread may use it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.views = Views()
        self._bases: dict[str, BaseModel] = {}
        self._base_versions: dict[str, Version] = {}
        self._models: dict[str, TrainedModel] = {}
        self._versions: WeakValueDictionary[str, Version] = WeakValueDictionary()
        self._recent: deque[Version] = deque(maxlen=recent_version_limit)
        self.held: dict[str, HeldGraph] = {}
        """Graphs that wait, by model."""

    def base(self, name: str) -> BaseModel:
        """A base by the name that clients use, loaded when it is needed first.

        Raises:
            WorkerError: `model-unknown`, `model-unreadable`.
        """
        found = self._bases.get(name)
        if found is None:
            folder = self.folder_of(name)
            found = self._bases[name] = BaseModel(name, folder, self.settings)
        return found

    def folder_of(self, name: str) -> Path:
        """Where a base lies."""
        folder = self.settings.models.get(name)
        if folder is not None:
            return folder
        if self.settings.shares_files and Path(name).is_absolute() and (Path(name) / "config.json").is_file():
            return Path(name)
        if self.settings.may_download:
            return Path(name)
        raise WorkerError(
            "model-unknown",
            f"expected a base model of {sorted(self.settings.models)}, got {name!r}",
            hint="name a folder (with --shared-files), start the worker with --model NAME=FOLDER, or let it "
            "fetch from the hub with --may-download; for spar that is --engine-set mayDownload=true",
        )

    def create(self, model_id: str, base: BaseModel, tuning: Tuning) -> TrainedModel:
        """A new model.

        Raises:
            WorkerError: `number-taken` where one of that id is alive: it must not be lost.
        """
        if model_id in self._models:
            raise WorkerError("number-taken", f"expected the id of a new model, got {model_id}, which is alive")
        model = self._models[model_id] = TrainedModel(model_id, base, tuning)
        return model

    def model(self, model_id: str) -> TrainedModel:
        """A model that is alive.

        Raises:
            WorkerError: `model-released`.
        """
        found = self._models.get(model_id)
        if found is None:
            raise WorkerError("model-released", f"expected a model that is alive, got {model_id!r}")
        return found

    def release(self, model_id: str) -> None:
        """Frees a model; a second time does nothing."""
        self.held.pop(model_id, None)
        model = self._models.pop(model_id, None)
        if model is not None:
            model.release()
            del model
            return_memory()

    def base_version(self, name: str) -> Version:
        """The base itself, for sampling."""
        found = self._base_versions.get(name)
        if found is None:
            found = self._base_versions[name] = Version(name, self.base(name))
        return found

    def find_version(self, address: str) -> Version | None:
        """A version that is in memory."""
        return self._versions.get(address)

    def remember(self, version: Version) -> Version:
        """Keeps a version in memory while somebody uses it, and for a while."""
        self._versions[version.address] = version
        self._recent.append(version)
        return version

    def forget(self, address: str) -> None:
        """The version is no longer found by its address."""
        found = self._versions.pop(address, None)
        if found is not None and found in self._recent:
            self._recent.remove(found)

    def publish(self, model: TrainedModel, address: str) -> Version:
        """An immutable copy of the current weights."""
        return Version(address, model.base, model.tuning, model.snapshot())
