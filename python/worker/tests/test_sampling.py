"""Sampling from a tiny network: company changes nothing, log-probabilities are the model's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spar_worker.errors import WorkerError
from spar_worker.models.base import BaseModel
from spar_worker.models.lora import LoraShape
from spar_worker.models.trained import TrainedModel, Tuning
from spar_worker.models.versions import Version, Views
from spar_worker.rows import FloatArray, Row
from spar_worker.sampling.batch import RunningBatch
from spar_worker.sampling.draw import DrawSettings, draw, stream
from spar_worker.sampling.requests import Ticket, read_request
from spar_worker.sampling.sampler import Sampler
from spar_worker.sampling.score import score
from spar_worker.training.passes import forward
from spar_worker.wire.requests import Sample
from spar_worker.wire.results import SampleOutput
from tiny import base_for

prompts = [[1, 5, 6, 7], [1, 9], [1, 5, 6, 7, 8, 9, 10, 11], [1, 5, 6, 7], [1, 30, 31]]


@pytest.fixture(scope="module")
def base(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return base_for(llama_folder, tmp_path_factory.mktemp("state"))


class Runner:
    """A sampler that is stepped by hand."""

    def __init__(self, version: Version, **limits: int) -> None:
        self.version = version
        self.errors: list[BaseException] = []
        self.done: dict[int, SampleOutput] = {}
        given = {"sequence_limit": 64, "cache_token_limit": 10_000, "prefill_token_budget": 512} | limits
        self.sampler = Sampler(Views(), **given)

    def submit(self, name: int, prompt: list[int], version: Version | None = None, **fields: Any) -> Ticket:
        parameters = {"max_tokens": 12, "seed": 100 + name, "stop": []} | fields.pop("parameters", {})
        body = Sample.model_validate(
            {"prompt": {"chunks": [{"tokens": prompt}]}, "sampling_params": parameters, **fields}
        )
        chosen = version or self.version
        ticket = Ticket(
            request=read_request(body, np.array(prompt, dtype=np.int64)),
            resolve=lambda: chosen,
            on_result=lambda output: self.done.__setitem__(name, output),
            on_error=self.errors.append,
        )
        self.sampler.submit(ticket)
        return ticket

    def run(self, after_each: Callable[[int], None] = lambda _: None) -> dict[int, SampleOutput]:
        for count in range(500):
            if not self.sampler.has_work():
                return self.done
            self.sampler.step()
            after_each(count)
        raise AssertionError("the sampler does not come to an end")


def alone(version: Version, name: int, prompt: list[int], **fields: Any) -> SampleOutput:
    runner = Runner(version)
    runner.submit(name, prompt, **fields)
    found = runner.run()
    assert not runner.errors
    return found[name]


def assert_same(one: SampleOutput, two: SampleOutput) -> None:
    assert len(one.sequences) == len(two.sequences)
    for left, right in zip(one.sequences, two.sequences, strict=True):
        assert left.token_ids == right.token_ids
        np.testing.assert_allclose(left.logprobs, right.logprobs, atol=1e-4)
        assert left.finish_reason == right.finish_reason


def test_requests_that_join_and_leave_get_what_they_get_alone(base: BaseModel) -> None:
    version = Version("tiny", base)
    lengths = [12, 3, 20, 7, 1]
    expected = [
        alone(version, i, prompt, num_samples=2, parameters={"max_tokens": lengths[i]})
        for i, prompt in enumerate(prompts)
    ]
    runner = Runner(version, sequence_limit=6)
    waiting = list(range(5))

    def arrive(step: int) -> None:
        if waiting and step % 2 == 0:
            name = waiting.pop(0)
            runner.submit(name, prompts[name], num_samples=2, parameters={"max_tokens": lengths[name]})

    arrive(0)
    found = runner.run(arrive)
    assert not runner.errors
    for name in range(5):
        assert_same(found[name], expected[name])
    assert expected[0].sequences[0].token_ids != expected[0].sequences[1].token_ids


def test_logprobs_are_those_of_forward_whatever_the_settings(base: BaseModel) -> None:
    model = TrainedModel("m", base, Tuning(LoraShape(4), seed=3))
    with torch.no_grad():
        for parameter in model.parameters.values():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    version = Version("v", base, model.tuning, model.snapshot())
    parameters = {"temperature": 1.7, "top_k": 9, "top_p": 0.9}
    output = alone(version, 0, prompts[2], parameters=parameters, prompt_logprobs=True)
    reply = list(output.sequences[0].token_ids)
    ids = np.array(prompts[2] + reply, dtype=np.int64)
    logprobs = forward(model, [Row(ids[:-1], ids[1:])], token_budget=64).outputs["logprobs"][0]
    assert output.prompt_logprobs is not None
    assert np.isnan(output.prompt_logprobs[0])
    sampled = np.concatenate([output.prompt_logprobs[1:], output.sequences[0].logprobs])
    np.testing.assert_allclose(sampled, logprobs, atol=1e-4)
    plain = alone(Version("tiny", base), 0, prompts[2], parameters=parameters)
    assert np.abs(plain.sequences[0].logprobs[:1] - logprobs[len(prompts[2]) - 1]).max() > 1e-3
    model.release()


def test_versions_are_kept_apart_while_the_model_is_trained(base: BaseModel) -> None:
    for tuning in (Tuning(LoraShape(4), seed=3), Tuning(None)):
        model = TrainedModel("m", base, tuning)
        versions: list[Version] = []
        for number in range(2):
            with torch.no_grad():
                for parameter in model.parameters.values():
                    parameter.add_(
                        0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
                    )
            versions.append(Version(f"v{number}", base, tuning, model.snapshot()))
        expected = [alone(v, 0, prompts[0]) for v in [*versions, Version("tiny", base)]]
        assert expected[0].sequences[0].token_ids != expected[1].sequences[0].token_ids
        runner = Runner(versions[0])
        for name, version in enumerate([*versions, Version("tiny", base)]):
            runner.submit(name, prompts[0], version, parameters={"seed": 100})
        found = runner.run(lambda _, trained=model: trained.activate())
        for name in range(3):
            assert_same(found[name], expected[name])
        model.release()


def test_a_group_prefills_its_prompt_once(base: BaseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    version = Version("tiny", base)
    shapes: list[tuple[int, int]] = []
    original = base.network.module.forward

    def watching(*args: Any, **kwargs: Any) -> Any:
        shapes.append(tuple(kwargs["input_ids"].shape))
        return original(*args, **kwargs)

    monkeypatch.setattr(base.network.module, "forward", watching)
    runner = Runner(version)
    runner.submit(0, prompts[0], num_samples=8)
    runner.submit(1, prompts[0], num_samples=2)
    runner.submit(2, prompts[1])
    runner.run()
    assert shapes[0] == (2, 4)
    assert shapes[1] == (11, 1)


def streams(count: int) -> list[np.random.Generator]:
    return [np.random.Generator(np.random.Philox(key=[7, index])) for index in range(count)]


def test_greedy_takes_the_most_likely_and_cuts_are_kept() -> None:
    logits = torch.log(torch.tensor([[0.1, 0.4, 0.2, 0.3]] * 4))

    def reachable(settings: DrawSettings) -> set[int]:
        tokens, logprobs = draw(logits[:1].repeat(200, 1), [settings] * 200, streams(200))
        np.testing.assert_allclose(np.exp(logprobs), np.array([0.1, 0.4, 0.2, 0.3])[tokens], rtol=1e-5)
        return set(tokens)

    assert reachable(DrawSettings()) == {0, 1, 2, 3}
    assert draw(logits, [DrawSettings(temperature=0)] * 4, streams(4))[0] == [1, 1, 1, 1]
    tie = torch.zeros(1, 4)
    assert draw(tie, [DrawSettings(temperature=0)], streams(1))[0] == [0]
    assert reachable(DrawSettings(top_k=2)) == {1, 3}
    assert reachable(DrawSettings(top_p=0.5)) == {1, 3}
    assert reachable(DrawSettings(top_p=0.75)) == {1, 2, 3}
    assert reachable(DrawSettings(top_p=1e-9)) == {1}
    assert reachable(DrawSettings(top_k=3, top_p=0.4)) == {1}
    impossible = torch.tensor([[0.0, -torch.inf]]).repeat(200, 1)
    assert set(draw(impossible, [DrawSettings()] * 200, streams(200))[0]) == {0}
    assert draw(torch.zeros(1, 1), [DrawSettings()], streams(1)) == ([0], [0.0])


@pytest.mark.parametrize("width", [2, 4, 5, 9, 50])
def test_frequencies_are_the_probabilities(width: int) -> None:
    count = 20_000
    logits = torch.from_numpy(np.random.default_rng(width).normal(size=(1, width)))
    tokens, _ = draw(logits.repeat(count, 1), [DrawSettings(temperature=0.5)] * count, streams(count))
    expected = torch.softmax(2 * logits[0], dim=-1).numpy() * count
    seen = np.bincount(tokens, minlength=width)
    # Chi-squared with width - 1 degrees of freedom: 5 standard deviations above its mean.
    statistic = float(((seen - expected) ** 2 / expected).sum())
    assert statistic < width - 1 + 5 * np.sqrt(2 * (width - 1))
    shifted = np.roll(expected, 1)
    assert ((seen - shifted) ** 2 / shifted).sum() > 10 * width


def test_last_bits_of_logits_change_no_draw_even_where_all_tokens_are_near_equal() -> None:
    count, width = 400, 49_152
    flat = 0.3 * torch.from_numpy(np.random.default_rng(1).normal(size=(1, width))).float()
    # All of one half a little likelier: every cumulated probability moves, by half the distance of two of them.
    rounded = flat + 2e-5 * (torch.arange(width) < width // 2)

    def drawn(logits: torch.Tensor) -> list[int]:
        return draw(logits.repeat(count, 1), [DrawSettings()] * count, streams(count))[0]

    assert sum(a != b for a, b in zip(drawn(flat), drawn(rounded), strict=True)) <= 1


def test_a_reply_ends_at_stop_ids_strings_the_end_token_and_the_limit(base: BaseModel) -> None:
    version = Version("tiny", base)
    free = alone(version, 0, prompts[0], parameters={"max_tokens": 30}).sequences[0]
    assert (len(free.token_ids), free.finish_reason) == (30, "length")
    stop_id = free.token_ids[4]
    first = list(free.token_ids).index(stop_id)
    at_id = alone(version, 0, prompts[0], parameters={"stop": [stop_id]}).sequences[0]
    assert (list(at_id.token_ids), at_id.finish_reason) == (list(free.token_ids[: first + 1]), "stop")
    text = str(base.tokenizer.decode(free.token_ids[3:5]))
    assert len(text) == 2
    at_text = alone(version, 0, prompts[0], parameters={"stop": [text], "max_tokens": 30}).sequences[0]
    assert at_text.finish_reason == "stop"
    assert str(base.tokenizer.decode(at_text.token_ids)).endswith(text)
    both = {"stop": [text], "stop_token_ids": [free.token_ids[0]]}
    assert len(alone(version, 0, prompts[0], parameters=both).sequences[0].token_ids) == 1


def test_the_end_token_ends_a_reply_that_names_no_stop(base: BaseModel) -> None:
    version = Version("tiny", base)
    many = {"num_samples": 40, "parameters": {"max_tokens": 60, "temperature": 3.0, "stop": None}}
    ends = [s for s in alone(version, 0, prompts[0], **many).sequences if s.finish_reason == "stop"]
    assert ends
    assert all(s.token_ids[-1] == 2 and 2 not in s.token_ids[:-1] for s in ends)


def test_prompt_scores_can_be_cut_ranked_and_asked_for_alone(base: BaseModel) -> None:
    version = Version("tiny", base)
    full = alone(
        version, 0, prompts[2], prompt_logprobs=True, topk_prompt_logprobs=3, parameters={"max_tokens": 0}
    )
    assert full.sequences[0].token_ids == []
    part = alone(version, 0, prompts[2], prompt_logprobs=True, prompt_logprobs_last_n=2)
    assert full.prompt_logprobs is not None
    assert part.prompt_logprobs is not None
    assert np.isnan(part.prompt_logprobs).tolist() == [True] * 6 + [False] * 2
    np.testing.assert_allclose(part.prompt_logprobs[6:], full.prompt_logprobs[6:], atol=1e-5)
    assert full.topk_prompt is not None
    ids, logprobs = full.topk_prompt
    assert ids.shape == (8, 3)
    assert logprobs[0].tolist() == [-99999.0] * 3
    assert (np.diff(logprobs[1:], axis=1) <= 0).all()


def test_each_seed_and_number_has_a_stream_of_its_own() -> None:
    large = 2**63
    pairs = [(seed, number) for seed in (-2, -1, 0, 1, large, large + 1) for number in (0, 1, large, large + 1)]
    assert len({stream(seed, number).random() for seed, number in pairs}) == len(pairs)
    assert stream(-1, 0).random() == stream(2**64 - 1, 0).random()


def targets(ids: list[list[int]]) -> dict[str, Any]:
    return {"data": [i for row in ids for i in row], "dtype": "int64", "shape": [len(ids), len(ids[0])]}


def sparse_targets(ids: list[int], starts: list[int], columns: list[int], width: int) -> dict[str, Any]:
    return {
        "data": ids,
        "dtype": "int64",
        "shape": [len(starts) - 1, width],
        "sparse_crow_indices": starts,
        "sparse_col_indices": columns,
    }


def logprobs_of_all(base: BaseModel, prompt: list[int]) -> FloatArray:
    """[L - 1, V]: what each token would have at each place after the first."""
    with torch.no_grad():
        logits = base.network(torch.tensor([prompt])).states[0]
        return base.network.logits(logits).log_softmax(-1)[:-1].numpy()


def test_ids_that_are_named_are_scored_at_each_place_of_the_prompt(base: BaseModel) -> None:
    version, prompt = Version("tiny", base), prompts[2]
    expected = logprobs_of_all(base, prompt)
    named = [[-1, -1], [5, 6], [prompt[3], -1], *[[7, 8]] * (len(prompt) - 4)]
    found = alone(version, 0, prompt, target_prompt_logprobs=targets(named)).target_prompt
    assert found is not None
    assert found.shape == (len(prompt) - 1, 2)
    for place, ids in enumerate(named):
        for column, token in enumerate(ids):
            value = 0 if token == -1 else expected[place, token]
            assert abs(found.values[place, column] - value) < 1e-4
    sparse = sparse_targets([5, 6, 7], [0, 0, 2, *[2] * (len(prompt) - 4), 3], [0, 3, 1], 4)
    packed = alone(version, 0, prompt, target_prompt_logprobs=sparse, prompt_logprobs=True)
    assert packed.target_prompt is not None
    assert packed.target_prompt.shape == (len(prompt) - 1, 4)
    np.testing.assert_allclose(
        packed.target_prompt.values, [expected[1, 5], expected[1, 6], expected[-1, 7]], atol=1e-4
    )
    own = alone(version, 0, prompt, prompt_logprobs=True)
    np.testing.assert_array_equal(packed.prompt_logprobs, own.prompt_logprobs)
    runner = Runner(version)
    runner.submit(0, prompt, target_prompt_logprobs=targets([[base.vocabulary_size]] * (len(prompt) - 1)))
    runner.run()
    assert "target_prompt_logprobs" in str(runner.errors[0])


def test_tokens_are_drawn_at_each_place_of_the_prompt(base: BaseModel) -> None:
    version, prompt = Version("tiny", base), prompts[2]
    expected = logprobs_of_all(base, prompt)
    many: dict[str, Any] = {"prompt_alt_tokens_k": 1000, "parameters": {"max_tokens": 1, "temperature": 2.0}}
    drawn = alone(version, 0, prompt, **many).prompt_draws
    assert drawn is not None
    ids, logprobs = (tensor.values for tensor in drawn)
    assert ids.shape == (len(prompt) - 1, 1000)
    for place, row in enumerate(ids):
        # The model's own log-probabilities, whatever the temperature of the draws.
        np.testing.assert_allclose(logprobs[place], expected[place, row], atol=1e-4)
        heated = np.exp(expected[place] / 2)
        wanted = heated / heated.sum()
        counts = np.bincount(row, minlength=len(wanted))
        deviations = (counts - 1000 * wanted) / np.sqrt(1000 * wanted * (1 - wanted) + 1)
        assert np.abs(deviations).max() < 5
    again = alone(version, 0, prompt, **many | {"prompt_alt_tokens_k": 3}).prompt_draws
    assert again is not None
    np.testing.assert_array_equal(again[0].values, ids[:, :3])  # Each draw has a stream of its own.
    greedy = alone(version, 0, prompt, prompt_alt_tokens_k=2, parameters={"temperature": 0}).prompt_draws
    assert greedy is not None
    np.testing.assert_array_equal(greedy[0].values, np.repeat(expected.argmax(1)[:, None], 2, axis=1))
    replies = [
        alone(version, 0, prompt, **given).sequences[0].token_ids for given in ({}, {"prompt_alt_tokens_k": 5})
    ]
    assert replies[0] == replies[1]


def test_what_breaks_while_a_request_leaves_ends_its_batch_and_no_more(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Runner(Version("tiny", base))
    other = Version("other", base)
    gone = runner.submit(0, prompts[0])
    runner.submit(1, prompts[1])
    runner.submit(2, prompts[2], other)

    def breaks(*_: object) -> None:
        raise torch.OutOfMemoryError

    runner.sampler.step()
    runner.sampler.step()
    gone.is_cancelled.set()
    monkeypatch.setattr(RunningBatch, "drop", breaks)
    done = runner.run()
    assert list(done) == [2]
    assert {type(error) for error in runner.errors} == {WorkerError, torch.OutOfMemoryError}


def test_cancelled_and_broken_requests_end_alone(base: BaseModel) -> None:
    version = Version("tiny", base)
    runner = Runner(version)
    good = runner.submit(0, prompts[0])
    bad = runner.submit(1, prompts[1], parameters={"max_tokens": 100})

    def broken() -> Version:
        raise WorkerError("checkpoint-unknown", "nothing there")

    runner.submit(2, prompts[2]).resolve = broken
    runner.submit(3, [1, 99])
    runner.submit(4, prompts[0], parameters={"max_tokens": 1000})
    runner.run(lambda step: bad.is_cancelled.set() if step == 3 else None)
    assert list(runner.done) == [0]
    assert_same(runner.done[0], alone(version, 0, prompts[0]))
    codes = [error.code for error in runner.errors if isinstance(error, WorkerError)]
    assert sorted(codes) == ["aborted", "checkpoint-unknown", "invalid-input", "invalid-input"]
    assert good.sequences[0].finish_reason == "length"


def test_requests_without_meaning_are_refused_by_name() -> None:
    for parameters, fields, name in [
        ({"temperature": -1}, {}, "temperature"),
        ({"top_p": 0}, {}, "top_p"),
        ({"top_k": -2}, {}, "top_k"),
        ({"max_tokens": -1}, {}, "max_tokens"),
        ({"stop": [""]}, {}, "stop strings"),
        ({}, {"num_samples": 0}, "num_samples"),
        ({}, {"prompt_logprobs_last_n": 4}, "prompt_logprobs_last_n"),
        ({}, {"topk_sample_logprobs": -1}, "topk_sample_logprobs"),
        ({}, {"prompt_alt_tokens_k": -1}, "prompt_alt_tokens_k"),
        ({}, {"prompt_alt_tokens_k": 1001}, "prompt_alt_tokens_k"),
        ({}, {"record_stability_info": True}, "record_stability_info"),
        ({}, {"target_prompt_logprobs": targets([[1], [2]])}, r"shape \[3, K\]"),
        ({}, {"target_prompt_logprobs": targets([[-1], [-1], [-1]])}, "at least one id"),
        ({}, {"target_prompt_logprobs": targets([[1], [-2], [3]])}, "or -1 for none"),
        ({}, {"target_prompt_logprobs": targets([[1], [2], [3]]) | {"dtype": "float32"}}, "int64"),
        ({}, {"target_prompt_logprobs": targets([[1] * 1001] * 3)}, "at most 1000 ids"),
        ({}, {"target_prompt_logprobs": sparse_targets([1], [0, 2, 1, 1], [0], 3)}, "sparse matrix"),
        ({}, {"target_prompt_logprobs": sparse_targets([1], [0, 1, 1, 1], [9], 3)}, "sparse matrix"),
    ]:
        body = Sample.model_validate({"prompt": {"chunks": []}, "sampling_params": parameters, **fields})
        with pytest.raises(WorkerError, match=name):
            read_request(body, np.array([1, 2, 3, 4], dtype=np.int64))


def test_scores_are_those_of_the_last_layer(base: BaseModel) -> None:
    inputs = [np.array(p, dtype=np.int64) for p in prompts]
    views = Views()
    version = Version("tiny", base)
    embedded = score(views, version, inputs, "embedding", token_budget=16).outputs["embedding"]
    with torch.no_grad():
        for ids, found in zip(inputs, embedded, strict=True):
            hidden = base.network(torch.from_numpy(ids)[None], has_hidden=True).hidden
            assert hidden is not None
            np.testing.assert_allclose(found, hidden[0].mean(dim=0).numpy(), atol=1e-5)
    with pytest.raises(WorkerError, match="value head"):
        score(views, version, inputs, "values", token_budget=16)
    model = TrainedModel("m", base, Tuning(LoraShape(2), has_value_head=True))
    with torch.no_grad():
        model.parameters["value_head.weight"].fill_(0.5)
    valued = Version("v", base, model.tuning, model.snapshot())
    values = score(views, valued, inputs, "values", token_budget=16).outputs["values"]
    assert [v.shape for v in values] == [(len(ids),) for ids in inputs]
    with torch.no_grad():
        hidden = base.network(torch.from_numpy(inputs[0])[None], has_hidden=True).hidden
    assert hidden is not None
    np.testing.assert_allclose(values[0], 0.5 * hidden[0].sum(dim=-1).numpy(), rtol=1e-4, atol=1e-4)
    model.release()
