"""Sampling: batches that sequences join and leave."""
