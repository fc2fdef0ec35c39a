"""What this worker can do, in the words of the engine contract."""

from ..settings import Settings


def capabilities(settings: Settings) -> list[str]:
    """The words, sorted."""
    words = [
        "cancel",
        "discard-gradients",
        "embeddings",
        "entropies",
        "full-finetune",
        "idempotent-submission",
        "lora",
        "loss:cispo",
        "loss:crossEntropy",
        "loss:dro",
        "loss:importanceSampling",
        "loss:ppo",
        "one-pass-custom-loss",
        "optimizer:adam",
        "optimizer:adamw",
        "optimizer:rmsprop",
        "optimizer:sgd",
        "prompt-logprobs",
        "several-models",
        "values",
    ]
    if settings.is_deterministic:
        words.append("deterministic")
    if settings.may_download:
        words.append("hub-models")
    return sorted(words)
