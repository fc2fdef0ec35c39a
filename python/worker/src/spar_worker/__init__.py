"""A PyTorch server of the Tinker training API. It knows token ids, weights and losses; no method, no game."""

__version__ = "0.1.0"
