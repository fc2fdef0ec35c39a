"""What is alive on the computing thread: bases by name, trained models by id, views of versions."""

from pathlib import Path

from ..errors import WorkerError
from ..settings import Settings
from ..training.held import HeldGraph
from .base import BaseModel
from .trained import TrainedModel, Tuning
from .versions import Version, Views


class Registry:
    """Owns everything that holds tensors. Only the computing thread may use it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.views = Views()
        self._bases: dict[str, BaseModel] = {}
        self._models: dict[str, TrainedModel] = {}
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
        if self.settings.may_download:
            return Path(name)
        raise WorkerError(
            "model-unknown",
            f"expected a base model of {sorted(self.settings.models)}, got {name!r}",
            hint="start the worker with --model NAME=FOLDER",
        )

    def create(self, model_id: str, base: BaseModel, tuning: Tuning) -> TrainedModel:
        """A new model."""
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

    def publish(self, model: TrainedModel, address: str) -> Version:
        """An immutable copy of the current weights."""
        return Version(address, model.base, model.tuning, model.snapshot())
