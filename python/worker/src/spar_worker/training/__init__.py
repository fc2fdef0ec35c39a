"""Losses, passes and optimizers."""
