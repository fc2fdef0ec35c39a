"""Log-probabilities of a prompt's own tokens, and of the most likely ones at each place."""

import numpy as np
import torch
from torch import Tensor

from ..models.network import Network
from ..rows import FloatArray, IntArray
from ..training.token_outputs import position_parts, token_outputs
from ..wire.results import TopkOutput, no_logprob
from .requests import Ticket


def score_prompt(ticket: Ticket, network: Network, states: Tensor) -> None:
    """Puts the scores that the request asks for into its ticket; states are [L, H] of its prompt alone."""
    request = ticket.request
    count = len(request.prompt)
    first = 1 if request.scored_last is None else count - request.scored_last
    before = states[first - 1 : count - 1]
    targets = torch.from_numpy(request.prompt[first:].copy()).to(states.device)
    ticket.prompt_logprobs = np.full(count, np.nan, dtype=np.float32)
    if len(targets) > 0:
        logprobs, _ = token_outputs(network, before[None], targets[None, :, None], has_entropies=False)
        ticket.prompt_logprobs[first:] = logprobs.flatten().cpu().numpy()
    if request.prompt_topk > 0:
        ticket.prompt_topk = _top_of_prompt(network, before, count, request.prompt_topk)


def _top_of_prompt(network: Network, before: Tensor, count: int, wanted: int) -> TopkOutput:
    """The most likely ids and their log-probabilities [count, wanted]: of the last places, as far as scored."""
    ids = np.zeros((count, wanted), dtype=np.int64)
    logprobs = np.full((count, wanted), no_logprob, dtype=np.float32)
    first, width = count - len(before), min(wanted, network.vocabulary_size)
    for part in position_parts(len(before), network.vocabulary_size):
        ids[first:][part, :width], logprobs[first:][part, :width] = most_likely(
            network.logits(before[part]), width
        )
    return ids, logprobs


def most_likely(logits: Tensor, count: int) -> tuple[IntArray, FloatArray]:
    """The `count` most likely ids of logits [N, V] and their log-probabilities, both [N, count]."""
    values, ids = (logits - logits.logsumexp(dim=-1, keepdim=True)).topk(count, dim=-1)
    return ids.cpu().numpy(), values.cpu().numpy()
