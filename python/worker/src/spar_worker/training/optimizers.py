"""Optimizer steps with settings that may change from step to step; the state stays as long as the kind does."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import Parameter

from ..errors import WorkerError, invalid_input

OptimizerKind = Literal["adam", "adamw", "rmsprop", "sgd"]
optimizer_kinds: tuple[OptimizerKind, ...] = ("adam", "adamw", "rmsprop", "sgd")


@dataclass(frozen=True)
class OptimizerSettings:
    """What one step does. Meanings are those of `torch.optim`."""

    kind: OptimizerKind
    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-12
    weight_decay: float = 0.0
    alpha: float = 0.99
    momentum: float = 0.0
    clip_gradient_norm: float = 0.0
    """The largest global L2 norm; 0 does not clip."""

    def check(self) -> None:
        """Raises `invalid-input` for settings without meaning, by name."""
        for name in ("learning_rate", "weight_decay", "momentum", "clip_gradient_norm", "epsilon"):
            value: float = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise invalid_input(f"{self.kind}: expected {name} of at least 0, got {value}")
        for name in ("beta1", "beta2", "alpha"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise invalid_input(f"{self.kind}: expected {name} in 0 <= x < 1, got {value}")


@dataclass(frozen=True)
class StepReport:
    """What a step did."""

    gradient_norm: float
    """Before clipping."""
    step_count: int


class Optimizer:
    """The optimizer of one model: its state, and how many steps the model took."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.parameters = parameters
        self.step_count = 0
        self.kind: OptimizerKind | None = None
        self._optimizer: torch.optim.Optimizer | None = None
        self._is_broken = False

    def step(self, settings: OptimizerSettings) -> StepReport:
        """Applies the gradients that lie in the parameters, and clears them.

        Memory for the moments is taken before any weight changes. A step that breaks all the same, in the
        middle of its arithmetic, leaves weights that are neither old nor new: they are not saved.

        Raises:
            WorkerError: `invalid-input` without gradients or with settings without meaning; `weights-diverged`
                for gradients that are no numbers, which are then cleared and change nothing; `step-broken`
                after a step that broke, until a state is loaded.
        """
        settings.check()
        self.check_whole()
        gradients = [p.grad for p in self.parameters.values() if p.grad is not None]
        if not gradients:
            raise invalid_input(
                "expected gradients to apply, got none", "send forward_backward before optim_step"
            )
        norm = torch.nn.utils.get_total_norm(gradients)
        if not math.isfinite(norm.item()):
            self.clear_gradients()
            raise WorkerError(
                "weights-diverged",
                f"expected a finite gradient, got one of norm {norm.item()}; it was discarded",
                hint="lower the learning rate, clip gradients, or look at the data",
            )
        if settings.clip_gradient_norm > 0:
            torch.nn.utils.clip_grads_with_norm_(self.parameters.values(), settings.clip_gradient_norm, norm)
        optimizer = self._ready(settings)
        self._make_moments(optimizer, settings)
        try:
            optimizer.step()
        except BaseException:
            self._is_broken = True
            raise
        self.clear_gradients()
        self.step_count += 1
        return StepReport(gradient_norm=norm.item(), step_count=self.step_count)

    def clear_gradients(self) -> None:
        """Drops what has accumulated."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def check_whole(self) -> None:
        """Raises `step-broken` where some weights took a step and others did not."""
        if self._is_broken:
            raise WorkerError(
                "step-broken",
                "expected weights of one step, got some before and some after it: the last step broke",
                category="server",
                hint="load a saved state",
            )

    def reset(self) -> None:
        """Starts anew: no moments, no steps."""
        self.kind, self._optimizer, self.step_count = None, None, 0
        self._is_broken = False

    def export_state(self) -> dict[str, Tensor]:
        """The moments by `parameter/moment`; empty before the first step.

        Raises:
            WorkerError: `step-broken`.
        """
        self.check_whole()
        if self._optimizer is None:
            return {}
        state = self._optimizer.state
        return {
            f"{name}/{key}": torch.as_tensor(value).detach()
            for name, parameter in self.parameters.items()
            for key, value in state.get(parameter, {}).items()
            if value is not None
        }

    def import_state(self, kind: OptimizerKind | None, step_count: int, tensors: Mapping[str, Tensor]) -> None:
        """Takes over what `export_state` gave."""
        self.reset()
        self.step_count = step_count
        if kind is None:
            return
        self.kind = kind
        self._optimizer = _make(kind, self.parameters)
        for name, parameter in self.parameters.items():
            prefix = f"{name}/"
            moments = {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
            if moments:
                self._optimizer.state[parameter] = {
                    key: value.clone() if key == "step" else value.to(parameter.device, copy=True)
                    for key, value in moments.items()
                }

    def _make_moments(self, optimizer: torch.optim.Optimizer, settings: OptimizerSettings) -> None:
        """What PyTorch would make in the middle of its step; a momentum that is new begins at 0."""
        names = _moments[settings.kind]
        if settings.kind == "rmsprop" and settings.momentum > 0:
            names = (*names, "momentum_buffer")
        for parameter in self.parameters.values():
            if parameter.grad is None or not names:
                continue
            state = optimizer.state[parameter]
            made = {name: torch.zeros_like(parameter) for name in names if name not in state}
            state.update({"step": torch.tensor(0.0)} | made if "step" not in state else made)

    def _ready(self, settings: OptimizerSettings) -> torch.optim.Optimizer:
        if self._optimizer is None or self.kind != settings.kind:
            self._optimizer = _make(settings.kind, self.parameters)
            self.kind = settings.kind
        group = self._optimizer.param_groups[0]
        group["lr"] = settings.learning_rate
        group["weight_decay"] = settings.weight_decay
        if settings.kind in ("adam", "adamw"):
            group["betas"] = (settings.beta1, settings.beta2)
            group["eps"] = settings.epsilon
        else:
            group["momentum"] = settings.momentum
            if settings.kind == "rmsprop":
                group["alpha"] = settings.alpha
                group["eps"] = settings.epsilon
        return self._optimizer


_moments: Mapping[OptimizerKind, tuple[str, ...]] = {
    "adam": ("exp_avg", "exp_avg_sq"),
    "adamw": ("exp_avg", "exp_avg_sq"),
    "rmsprop": ("square_avg",),
    "sgd": (),
}
"""Besides the count of steps."""


def _make(kind: OptimizerKind, parameters: Mapping[str, Parameter]) -> torch.optim.Optimizer:
    trained = list(parameters.values())
    if kind == "adam":
        return torch.optim.Adam(trained)
    if kind == "adamw":
        return torch.optim.AdamW(trained)
    if kind == "rmsprop":
        return torch.optim.RMSprop(trained)
    return torch.optim.SGD(trained, lr=1e-3)
