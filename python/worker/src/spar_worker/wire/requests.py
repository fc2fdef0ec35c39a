"""JSON bodies of the wire, checked by pydantic. Unknown fields are ignored: newer clients send more.

What is ours alone stands under `spar`; the meaning of each field is in docs/engines/tinker-wire.md.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """What all bodies share."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())


class CreateSession(Body):
    """`create_session`."""

    tags: list[str] = Field(default_factory=list)
    user_metadata: dict[str, Any] | None = None
    display_name: str | None = None


class SessionReference(Body):
    """`session_heartbeat`."""

    session_id: str


class LoraConfigBody(Body):
    """The shape of an adapter."""

    rank: int
    seed: int | None = None
    train_unembed: bool = True
    train_mlp: bool = True
    train_attn: bool = True


class TokenizerBody(Body):
    """A tokenizer as text."""

    tokenizer_json: str
    tokenizer_config_json: str


class CreateModelExtension(Body):
    """What our clients may say beyond the wire."""

    lora_alpha: float | None = None
    head: Literal["policy", "value"] = "policy"
    architecture: dict[str, Any] | None = None
    seed: int = 0
    tokenizer: TokenizerBody | None = None


class CreateModel(Body):
    """`create_model`. Without `lora_config` all weights are trained."""

    session_id: str
    model_seq_id: int
    base_model: str
    lora_config: LoraConfigBody | None = None
    user_metadata: dict[str, Any] | None = None
    optimizer_config: dict[str, Any] | None = None
    spar: CreateModelExtension = Field(default_factory=CreateModelExtension)


class ModelReference(Body):
    """`get_info`, `unload_model`, `spar/discard_gradients`."""

    model_id: str
    seq_id: int | None = None


class ChunkBody(Body):
    """A piece of an input."""

    type: str = "encoded_text"
    tokens: list[int] | None = None


class ModelInputBody(Body):
    """An input."""

    chunks: list[ChunkBody]


class TensorBody(Body):
    """A tensor, flat; sparse where column indices stand beside the values."""

    data: list[float]
    dtype: Literal["float32", "int64"]
    shape: list[int] | None = None
    sparse_crow_indices: list[int] | None = None
    sparse_col_indices: list[int] | None = None


class DatumBody(Body):
    """A training row."""

    model_input: ModelInputBody
    loss_fn_inputs: dict[str, TensorBody]


class PassBody(Body):
    """Rows and what is computed of them."""

    data: list[DatumBody]
    loss_fn: str
    loss_fn_config: dict[str, float | str] | None = None


class Forward(ModelReference):
    """`forward`."""

    forward_input: PassBody


class ForwardBackward(ModelReference):
    """`forward_backward` in JSON."""

    forward_backward_input: PassBody


class AdamBody(Body):
    """AdamW with the wire's defaults."""

    learning_rate: float = 1e-4
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-12
    weight_decay: float = 0.0
    grad_clip_norm: float = 0.0


class OptimizerBody(Body):
    """Another optimizer, by `type`; defaults are those of torch."""

    type: str
    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float | None = None
    alpha: float = 0.99
    momentum: float = 0.0
    grad_clip_norm: float = 0.0


class OptimStep(ModelReference):
    """`optim_step`."""

    adam_params: AdamBody | None = None
    optimizer_params: OptimizerBody | None = None


class SaveExtension(Body):
    """How weights are exported, and into which folder of this machine states and exports go."""

    format: Literal["peft", "merged"] = "peft"
    folder: str | None = None


class SaveWeights(ModelReference):
    """`save_weights`, `save_weights_for_sampler`, `save_weights_external`."""

    path: str | None = None
    sampling_session_seq_id: int | None = None
    ttl_seconds: int | None = None
    overwrite: bool = False
    user_metadata: dict[str, Any] | None = None
    spar: SaveExtension = Field(default_factory=SaveExtension)


class LoadWeights(Body):
    """`load_weights`: into a model, or, by session and number, as the first thing of a new one."""

    path: str
    optimizer: bool
    model_id: str | None = None
    seq_id: int | None = None
    session_id: str | None = None
    model_seq_id: int | None = None
    base_model: str | None = None
    user_metadata: dict[str, Any] | None = None


class CreateSamplingSession(Body):
    """`create_sampling_session`."""

    session_id: str
    sampling_session_seq_id: int
    base_model: str | None = None
    model_path: str | None = None


class SamplingParameters(Body):
    """How tokens are drawn. `stop` left out means the model's end token, an empty list nothing."""

    max_tokens: int | None = None
    seed: int | None = None
    stop: str | list[int] | list[str] | None = None
    stop_token_ids: list[int] | None = None
    """Ours: ids beside strings."""
    temperature: float = 1.0
    top_k: int = -1
    top_p: float = 1.0


class Sample(Body):
    """`asample`."""

    prompt: ModelInputBody
    sampling_params: SamplingParameters
    num_samples: int = 1
    sampling_session_id: str | None = None
    seq_id: int | None = None
    base_model: str | None = None
    model_path: str | None = None
    prompt_logprobs: bool | None = None
    prompt_logprobs_last_n: int | None = None
    topk_prompt_logprobs: int = 0
    topk_sample_logprobs: int = 0
    target_prompt_logprobs: TensorBody | None = None
    prompt_alt_tokens_k: int = 0
    record_stability_info: bool | None = None


class Score(Body):
    """`spar/score`."""

    model_path: str
    output: Literal["values", "embedding"]
    inputs: list[ModelInputBody | list[ChunkBody]]


class RetrieveFuture(Body):
    """`retrieve_future`, `cancel_future`."""

    request_id: str


class WeightsInfo(Body):
    """`weights_info`."""

    tinker_path: str


class TimeToLive(Body):
    """`.../ttl`."""

    ttl_seconds: int | None = None
