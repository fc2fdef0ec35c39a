"""What is read off each place of a prompt besides the reply.

Log-probabilities of its own tokens, of the most likely ones, of ones that were named; and draws.
"""

import numpy as np
import torch
from torch import Tensor

from ..models.network import Network
from ..rows import FloatArray, IntArray
from ..training.token_outputs import position_parts, token_outputs
from ..wire.results import TensorOutput, TopkOutput, no_logprob
from .draw import draw_often, stream
from .prompt_targets import PromptTargets
from .requests import SampleRequest, Ticket

first_draw_stream = 2**63
"""Streams of draws, one per draw of a place; replies have those from 0 on."""


def score_prompt(ticket: Ticket, network: Network, states: Tensor) -> None:
    """Puts what the request asks for into its ticket; states are [L, H] of its prompt alone."""
    request = ticket.request
    count = len(request.prompt)
    before = states[: count - 1]
    if request.has_prompt_logprobs:
        first = 1 if request.scored_last is None else count - request.scored_last
        ticket.prompt_logprobs = np.full(count, np.nan, dtype=np.float32)
        ids = request.prompt[first:, None]
        ticket.prompt_logprobs[first:] = _logprobs(network, before[first - 1 :], ids).flatten()
        if request.prompt_topk > 0:
            ticket.prompt_topk = _top_of_prompt(network, before[first - 1 :], count, request.prompt_topk)
    if request.targets is not None:
        ticket.target_prompt = _targets(network, before, request.targets)
    if request.prompt_draws > 0:
        ticket.prompt_draws = _draws(network, before, request)


def _logprobs(network: Network, before: Tensor, ids: IntArray) -> FloatArray:
    """Of ids [N, K]: [N, K]."""
    if len(ids) == 0:
        return np.zeros(ids.shape, dtype=np.float32)
    targets = torch.from_numpy(ids.copy()).to(before.device)
    logprobs, _ = token_outputs(network, before[None], targets[None], has_entropies=False)
    return logprobs[0].cpu().numpy()


def _targets(network: Network, before: Tensor, targets: PromptTargets) -> TensorOutput:
    first = targets.first_row
    logprobs = np.zeros(targets.ids.shape, dtype=np.float32)
    logprobs[first:] = _logprobs(network, before[first:], np.maximum(targets.ids[first:], 0))
    return targets.answer(logprobs)


def _draws(network: Network, before: Tensor, request: SampleRequest) -> tuple[TensorOutput, TensorOutput]:
    """At the request's temperature, without any cut; each draw from a stream of its own of the seed."""
    randoms = [stream(request.seed, first_draw_stream + index) for index in range(request.prompt_draws)]
    ids = np.zeros((len(before), request.prompt_draws), dtype=np.int64)
    logprobs = np.zeros(ids.shape, dtype=np.float32)
    for part in position_parts(len(before), network.vocabulary_size):
        found = draw_often(network.logits(before[part]), request.draw.temperature, randoms)
        ids[part], logprobs[part] = (tensor.cpu().numpy() for tensor in found)
    return TensorOutput(ids), TensorOutput(logprobs)


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
