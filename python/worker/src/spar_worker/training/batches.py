"""How a batch is cut into micro-batches: rows of like length together, so that little padding is computed."""

from collections.abc import Sequence


def plan_micro_batches(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Indices of rows per micro-batch, longest first; a batch holds at most `token_budget` padded positions.

    A row that is longer than the budget stands alone. The plan depends on lengths and budget alone.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    batches: list[list[int]] = []
    for index in order:
        batch = batches[-1] if batches else None
        if batch is None or (len(batch) + 1) * lengths[batch[0]] > token_budget:
            batches.append([index])
        else:
            batch.append(index)
    return batches
