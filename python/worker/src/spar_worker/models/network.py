"""The one place where a transformers network is called: ids in, logits (and what else is asked for) out.

It hides how versions of transformers name the cache, when attention needs a mask, and in which precision is
computed. Whoever calls it decides about gradients.
"""

import inspect
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..settings import Precision


@dataclass(frozen=True)
class NetworkOutput:
    """Logits [B, L, V], or [B, 1, V] of the last alone; the last hidden layer [B, L, H] on request."""

    logits: Tensor
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
        """Runs the network on ids [B, L]. Without a mask, padding must stand at the right end of rows."""
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
        if last_only and self._can_keep_logits:
            arguments["logits_to_keep"] = 1
        casting = (
            torch.autocast(input_ids.device.type, dtype=torch.bfloat16) if self.has_autocast else nullcontext()
        )
        with casting:
            output = cast("Any", self.module)(**arguments)
        logits: Tensor = output.logits
        return NetworkOutput(
            logits=logits[:, -1:] if last_only else logits,
            hidden=output.hidden_states[-1] if has_hidden else None,
        )
