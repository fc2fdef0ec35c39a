"""What requests about checkpoints do on the computing thread."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import WorkerError, invalid_input
from ..models.registry import Registry
from ..models.trained import TrainedModel
from ..models.versions import Version
from ..wire.requests import SaveWeights
from .export import export_model
from .state import facts_of_model, load_state, read_version, tuning_of_facts, write_state
from .store import (
    Address,
    Checkpoint,
    CheckpointStore,
    Kind,
    archive_name,
    facts_name,
    folder_of_path,
    make_address,
    parse_address,
    read_folder,
    write_folder,
)


@dataclass(frozen=True)
class Checkpoints:
    """The store, and what is alive."""

    store: CheckpointStore
    registry: Registry

    def save(self, request: SaveWeights, kind: Kind) -> Checkpoint:
        """Writes a model's weights under a name: to train on, to sample from, or in the hub's formats."""
        model = self.registry.model(request.model_id)
        address = make_address(request.model_id, kind, request.path or "")
        found = self.store.write(
            address,
            facts_of_model(model, request.user_metadata),
            _filler(model, request, kind),
            time_to_live_s=request.ttl_seconds,
            is_overwriting=request.overwrite,
        )
        self.registry.forget(str(address))
        if kind == "sampler_weights":
            self.registry.remember(self.registry.publish(model, str(address)))
        return found

    def save_to(self, folder: Path, request: SaveWeights, kind: Kind) -> None:
        """The same in a folder that the client names, where files are shared."""
        model = self.registry.model(request.model_id)
        facts = facts_of_model(model, request.user_metadata)
        write_folder(folder, facts, _filler(model, request, kind))

    def check_shared(self, folder: Path) -> None:
        """Refuses a folder of a client where files are not shared.

        Raises:
            WorkerError: `invalid-input`.
        """
        if not self.registry.settings.shares_files:
            raise invalid_input(
                f"expected an address of the worker, got the folder {folder}: files are not shared"
            )
        if not folder.is_absolute():
            raise invalid_input(f"expected an absolute path, got {folder}")

    def load(self, model_id: str, path: str, *, has_optimizer: bool) -> None:
        """Goes on from a checkpoint."""
        checkpoint = self.trainable(path)
        self.registry.held.pop(model_id, None)
        load_state(self.registry.model(model_id), checkpoint, has_optimizer=has_optimizer)

    def create(self, model_id: str, path: str, *, has_optimizer: bool) -> TrainedModel:
        """A new model from a checkpoint."""
        return self._make(model_id, self.trainable(path), has_optimizer=has_optimizer)

    def archived(self, address: Address) -> dict[str, Path] | None:
        """What an archive holds, files by name: those of an export as they are, of other weights those that an
        export of them would have; None where these are still to be written.

        Raises:
            WorkerError: `checkpoint-unknown`.
        """
        checkpoint = self.store.read(address)
        if address.kind == "external_weights":
            return _files_below(checkpoint.folder)
        if not self.store.keep_archive(checkpoint):
            return None
        return _files_below(checkpoint.folder / archive_name)

    def write_archive(self, address: Address) -> None:
        """Makes the model of a checkpoint once more, and writes it as an export."""
        checkpoint = self.store.read(address)
        if self.store.keep_archive(checkpoint):
            return
        model_id = f"archive:{uuid.uuid4().hex}"

        def fill(folder: Path) -> None:
            export_model(self._make(model_id, checkpoint, has_optimizer=False), folder, "peft")

        try:
            self.store.write_archive(checkpoint, fill)
        finally:
            self.registry.release(model_id)

    def _make(self, model_id: str, checkpoint: Checkpoint, *, has_optimizer: bool) -> TrainedModel:
        base = self.registry.base(str(checkpoint.facts["base_model"]))
        model = self.registry.create(model_id, base, tuning_of_facts(checkpoint.facts))
        try:
            load_state(model, checkpoint, has_optimizer=has_optimizer)
        except BaseException:
            self.registry.release(model_id)
            raise
        return model

    def trainable(self, path: str) -> Checkpoint:
        """A checkpoint that can be trained on.

        Raises:
            WorkerError: `invalid-input` for weights of another kind; `checkpoint-unknown`.
        """
        folder = folder_of_path(path)
        if folder is not None:
            self.check_shared(folder)
            return read_folder(folder)
        address = parse_address(path)
        if address.kind != "weights":
            raise WorkerError(
                "invalid-input",
                f"expected weights that can be trained on, got {path}",
                hint="save_weights makes them; weights for the sampler lack the optimizer",
            )
        return self.store.read(address)

    def version(self, path: str) -> Version:
        """What is sampled from at an address."""
        found = self.registry.find_version(path)
        if found is not None:
            return found
        checkpoint = self.store.read(self.sampleable(path))
        return self.registry.remember(read_version(self.registry, checkpoint))

    def sampleable(self, path: str) -> Address:
        """An address whose weights can be sampled from, those for training among them."""
        address = parse_address(path)
        if address.kind == "external_weights":
            raise WorkerError("invalid-input", f"expected weights to sample from, got an export: {path}")
        return address


def _filler(model: TrainedModel, request: SaveWeights, kind: Kind) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        if kind == "external_weights":
            export_model(model, folder, request.spar.format)
        else:
            write_state(model, folder, has_optimizer=kind == "weights")

    return fill


def _files_below(folder: Path) -> dict[str, Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path for path in found if path != folder / facts_name}
