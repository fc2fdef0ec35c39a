"""Sizes of a model that clients ask for."""

from ..models.trained import TrainedModel


def facts_of(model: TrainedModel) -> dict[str, int]:
    """Read on the computing thread, once, when the model is made."""
    return {
        "context_length": model.base.context_length,
        "vocabulary_size": model.base.vocabulary_size,
        "parameter_count": model.parameter_count,
        "trainable_parameter_count": model.trained_count,
    }
