"""The block-sparse attention mask of BigBird, by the rule of the paper's artifact (compiler notes §6.4)."""

import numpy as np
from numpy.typing import NDArray

from fuseflow.errors import TraceError

GLOBAL_BLOCKS = 2
"""Block rows and block columns that are kept whole, from the first on."""
RANDOM_BLOCKS = 2
"""Block columns drawn for every block row, without replacement."""


def bigbird_mask(sequence: int, block: int, seed: int = 0) -> NDArray[np.bool_]:
    """Which keys (columns) each query (row) attends to: bool [sequence, sequence], constant within each block.

    Kept are the first two block rows and block columns, the diagonal and its two neighbours, and two block columns of
    every block row drawn by NumPy's ``RandomState(seed)``. Raises TraceError unless ``block`` divides ``sequence``.
    """
    if block < 1 or sequence < 1 or sequence % block:
        raise TraceError(f"a sequence of {sequence} does not divide into blocks of {block}; choose a divisor")
    count = sequence // block
    kept = np.zeros((count, count), np.bool_)
    kept[:GLOBAL_BLOCKS] = True
    kept[:, :GLOBAL_BLOCKS] = True
    random = np.random.RandomState(seed)  # the generator that the artifact draws with
    for row in range(count):
        kept[row, max(row - 1, 0) : row + 2] = True
        kept[row, random.choice(count, min(RANDOM_BLOCKS, count), replace=False)] = True
    return np.repeat(np.repeat(kept, block, axis=0), block, axis=1)
