"""Published versions: immutable copies of trained weights, and the views through which they compute.

A view is a second adapter (or a second network) that no optimizer touches; entering a version points the
view's parameters at the version's tensors, which copies nothing. Only the computing thread may enter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import Parameter

from .base import BaseModel
from .lora import LoraShape
from .network import Network
from .trained import Tuning, check_weights, new_value_head, value_head_prefix


@dataclass(frozen=True, eq=False)
class Version:
    """What may be sampled from. Without tuning and tensors it is the base itself."""

    address: str
    """For messages: a path of the wire, or the name of the base."""
    base: BaseModel
    tuning: Tuning | None = None
    tensors: Mapping[str, Tensor] | None = None


@dataclass
class _View:
    network: Network
    adapter: str | None
    parameters: dict[str, Parameter]


class Views:
    """All views of a worker, by base and by the shape of what is laid over it."""

    def __init__(self) -> None:
        self._views: dict[tuple[str, LoraShape | None], _View] = {}

    def enter(self, version: Version) -> Network:
        """The network that computes this version from now on, until another one is entered."""
        base = version.base
        if version.tuning is None or version.tensors is None:
            base.activate(None)
            return base.network
        view = self._view(base, version.tuning.lora)
        weights = {name: t for name, t in version.tensors.items() if not name.startswith(value_head_prefix)}
        check_weights(view.parameters, weights, version.address)
        for name, parameter in view.parameters.items():
            parameter.data = weights[name]
        if view.adapter is not None:
            base.activate(view.adapter)
        return view.network

    def value_head(self, version: Version) -> nn.Linear | None:
        """The value head of a version that has one."""
        if version.tuning is None or version.tensors is None or not version.tuning.has_value_head:
            return None
        head = new_value_head(version.base.hidden_size, version.base.network.device)
        head.weight.data = version.tensors[value_head_prefix + "weight"]
        return head

    def _view(self, base: BaseModel, shape: LoraShape | None) -> _View:
        key = (base.name, shape)
        found = self._views.get(key)
        if found is not None:
            return found
        if shape is None:
            network = base.load_full()
            network.module.requires_grad_(False)
            view = _View(network, None, dict(network.module.named_parameters()))
        else:
            name, parameters = base.add_adapter(shape, seed=0)
            view = _View(base.network, name, parameters)
        self._views[key] = view
        return view
