"""A model that is trained: an adapter on a shared base or a whole network of its own, with its optimizer."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from ..errors import WorkerError
from ..training.optimizers import Optimizer
from .base import BaseModel
from .lora import LoraShape
from .network import Network

value_head_prefix = "value_head."


@dataclass(frozen=True)
class Tuning:
    """Which weights are trained."""

    lora: LoraShape | None
    """None: all of them."""
    seed: int = 0
    has_value_head: bool = False


class TrainedModel:
    """Weights that change. Only the computing thread may call its methods."""

    def __init__(self, model_id: str, base: BaseModel, tuning: Tuning) -> None:
        self.model_id = model_id
        self.base = base
        self.tuning = tuning
        self.adapter: str | None = None
        self.parameters: dict[str, Parameter]
        if tuning.lora is None:
            self.network: Network = base.load_full()
            self.network.module.requires_grad_(True)
            self.parameters = dict(self.network.module.named_parameters())
        else:
            self.network = base.network
            self.adapter, self.parameters = base.add_adapter(tuning.lora, tuning.seed)
        self.value_head: nn.Linear | None = None
        if tuning.has_value_head:
            self.value_head = new_value_head(base.hidden_size, self.network.device)
            self.parameters |= {
                value_head_prefix + name: parameter for name, parameter in self.value_head.named_parameters()
            }
        self.optimizer = Optimizer(self.parameters)

    @property
    def parameter_count(self) -> int:
        """All weights, the adapter's own among them."""
        return self.trained_count if self.tuning.lora is None else self.trained_count + self._base_count()

    @property
    def trained_count(self) -> int:
        """Weights that change."""
        return sum(parameter.numel() for parameter in self.parameters.values())

    def activate(self) -> None:
        """Makes this model's weights compute, and take gradients."""
        if self.adapter is not None:
            self.base.activate(self.adapter)
        for parameter in self.parameters.values():
            parameter.requires_grad_(True)

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of the trained weights by name."""
        return {name: parameter.detach().clone() for name, parameter in self.parameters.items()}

    def load_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """Replaces the trained weights; gradients are dropped.

        Raises:
            WorkerError: `state-unreadable` where names or shapes are not those of this model.
        """
        check_weights(self.parameters, tensors, self.model_id)
        self.optimizer.clear_gradients()
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensors[name])

    def release(self) -> None:
        """Frees what no other model uses."""
        self.optimizer.clear_gradients()
        self.optimizer.reset()
        if self.adapter is not None:
            self.base.remove_adapter(self.adapter)
            self.adapter = None

    def _base_count(self) -> int:
        return sum(p.numel() for name, p in self.network.module.named_parameters() if ".lora_" not in name)


def new_value_head(hidden_size: int, device: torch.device) -> nn.Linear:
    """A scalar head that says 0 until it is trained; without a bias, as the embedded engine has it."""
    head = nn.Linear(hidden_size, 1, bias=False, device=device, dtype=torch.float32)
    nn.init.zeros_(head.weight)
    return head


def check_weights(parameters: Mapping[str, Parameter], tensors: Mapping[str, Tensor], what: str) -> None:
    """Raises `state-unreadable` unless names and shapes agree."""
    missing = sorted(parameters.keys() - tensors.keys())
    unknown = sorted(tensors.keys() - parameters.keys())
    if missing or unknown:
        raise WorkerError(
            "state-unreadable",
            f"expected the weights of {what}, got {len(missing)} missing {missing[:3]} and "
            f"{len(unknown)} unknown {unknown[:3]}",
            hint="load it into a model with the same base, rank and tuning",
        )
    for name, parameter in parameters.items():
        if tensors[name].shape != parameter.shape:
            raise WorkerError(
                "state-unreadable",
                f"expected {name} of shape {list(parameter.shape)}, got {list(tensors[name].shape)}",
                hint="load it into a model with the same base, rank and tuning",
            )
