"""Tiny models with random weights, made on the spot, and rows for them."""

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from spar_worker.models.base import BaseModel
from spar_worker.rows import FloatArray, IntArray, Row
from spar_worker.settings import Settings

vocabulary_size = 48
letters = "abcdefghijklmnopqrstuvwxyz .,!?0123456789"


chat_template = (
    "{% for message in messages %}{{ message.role[0] }} {{ message.content }}!{% endfor %}"
    "{% if add_generation_prompt %}a {% endif %}"
)


def write_llama(
    folder: Path,
    *,
    tied: bool = False,
    seed: int = 0,
    context_length: int = 128,
    has_template: bool = True,
    width: int = 32,
    layer_count: int = 2,
) -> Path:
    """A Llama of two layers with a tokenizer of letters."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary_size,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layer_count,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context_length,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=tied,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4.0)  # Predictions that are far from even.
    model.save_pretrained(folder)
    vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2} | {letter: 3 + i for i, letter in enumerate(letters)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    if has_template:
        fast.chat_template = chat_template
    fast.save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text())["vocab_size"] == vocabulary_size
    return folder


def settings_for(folder: Path, state: Path, **changes: object) -> Settings:
    """Settings of a worker with this model alone."""
    return Settings(models={"tiny": folder}, state_folder=state, key="tml-test", **changes)  # type: ignore[arg-type]


def base_for(folder: Path, state: Path, **changes: object) -> BaseModel:
    return BaseModel("tiny", folder, settings_for(folder, state, **changes))


def random_row(random: np.random.Generator, length: int) -> Row:
    """A row with everything that a loss may read."""
    ids: IntArray = random.integers(3, vocabulary_size - 4, length + 1)

    def floats() -> FloatArray:
        return random.normal(size=length).astype(np.float32)

    weights = np.abs(floats())
    weights[0] = 0
    return Row(
        input_ids=ids[:-1],
        targets=ids[1:],
        weights=weights,
        advantages=floats(),
        behavior_logprobs=-np.abs(floats()) - 3,
    )


def random_rows(seed: int, lengths: list[int]) -> list[Row]:
    random = np.random.default_rng(seed)
    return [random_row(random, length) for length in lengths]
