"""The one place where a transformers network is called: ids in, states (and what else is asked for) out.

It hides how versions of transformers name the cache, when attention needs a mask, and in which precision is
computed. Whoever calls it decides about gradients.

States are what the output layer takes, one vector per position, and logits are computed from them where they
are wanted, since they are much larger: 85 times for SmolLM2, of width 576 and 49,152 tokens. A network that
does more with its logits than its output layer does (soft caps, scales) gives its logits as states, and
`logits` returns them as they are.
"""

import inspect
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..settings import Precision


@dataclass(frozen=True)
class NetworkOutput:
    """States [B, L, H], from which `Network.logits` computes; the last hidden layer [B, L, H] on request."""

    states: Tensor
    hidden: Tensor | None


class Network:
    """A causal language model of transformers with the device and precision in which it computes."""

    def __init__(self, module: nn.Module, *, precision: Precision, has_autocast: bool) -> None:
        self.module = module
        self.precision: Precision = precision
        self.has_autocast = has_autocast
        """True where weights are float32 and products are computed in bfloat16."""
        names = inspect.signature(cast("Any", module).forward).parameters
        self._cache_name = "cache" if "cache" in names else "past_key_values"
        self._can_keep_logits = "logits_to_keep" in names
        self._has_plain_output = self._try_output()  # Before an adapter hides what the layer is.

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        return next(self.module.parameters()).device

    @property
    def config(self) -> Any:
        """The configuration of transformers."""
        return cast("Any", self.module).config

    def __call__(
        self,
        input_ids: Tensor,
        *,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: object | None = None,
        has_hidden: bool = False,
        last_only: bool = False,
    ) -> NetworkOutput:
        """Runs the network on ids [B, L]. Without a mask, padding must stand at the right end of rows.

        `last_only` gives the states of the last position alone, [B, 1, H].
        """
        arguments: dict[str, object] = {
            "input_ids": input_ids,
            "use_cache": cache is not None,
            "return_dict": True,
        }
        if attention_mask is not None:
            arguments["attention_mask"] = attention_mask
        if position_ids is not None:
            arguments["position_ids"] = position_ids
        if cache is not None:
            arguments[self._cache_name] = cache
        if has_hidden:
            arguments["output_hidden_states"] = True
        if last_only and not self._has_plain_output and self._can_keep_logits:
            arguments["logits_to_keep"] = 1
        with _taking_states(self._output_layer if self._has_plain_output else None) as taken, self._casting():
            output = cast("Any", self.module)(**arguments)
        states: Tensor = taken[0] if taken else output.logits
        if last_only:
            states = states[:, -1:]
        return NetworkOutput(states, output.hidden_states[-1] if has_hidden else None)

    def logits(self, states: Tensor) -> Tensor:
        """Logits [..., V] in float32 of states [..., H]: the caller's own, to be overwritten at will."""
        if not self._has_plain_output:
            return states.to(torch.float32, copy=True)
        with self._casting():
            logits: Tensor = self._output_layer(states)
        return logits.float()

    @property
    def vocabulary_size(self) -> int:
        """V: ids are below it."""
        return int(self.config.get_text_config().vocab_size)

    @property
    def _output_layer(self) -> nn.Module:
        # Asked for each time, since an adapter puts a layer of its own in its place.
        return cast("Any", self.module).get_output_embeddings()

    def _try_output(self) -> bool:
        """True where logits are what the output layer makes of its input, and nothing more: tried out once."""
        if not isinstance(self._output_layer, nn.Linear):
            return False
        ids = torch.tensor([[1, 0]], device=self.device)
        taken: list[Tensor] = []
        handle = self._output_layer.register_forward_pre_hook(lambda _layer, inputs: taken.append(inputs[0]))
        try:
            with torch.no_grad(), self._casting():
                whole: Tensor = cast("Any", self.module)(input_ids=ids, use_cache=False).logits
                return len(taken) == 1 and torch.equal(self._output_layer(taken[0]), whole)
        finally:
            handle.remove()

    def _casting(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.has_autocast else nullcontext()


@contextmanager
def _taking_states(layer: nn.Module | None) -> Generator[list[Tensor]]:
    """Inside, the layer computes nothing, and its input is in the list."""
    taken: list[Tensor] = []
    if layer is None:
        yield taken
        return

    def take(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        taken.append(inputs[0])
        return (inputs[0][:, :0],)

    handle = layer.register_forward_pre_hook(take)
    try:
        yield taken
    finally:
        handle.remove()
