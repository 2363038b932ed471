"""What stands where in the arrays that the kernels share. Kernels compile these in: after a change, clear the caches.

A *stream* is one int64 array: word 0 is the number of tokens written (the tail), word 1 the clock of its broadcast
unit; token ``i`` is word ``2 + 2 * i`` and its stamp the word after it. A token is packed as in
:mod:`fuseflow.dataflow.tokens`; a value is the 32 bits of its float32. Every reader keeps its own head.

A *state* is one int64 array per node: the words below, then one head per input.
"""

from typing import Final

from numpy import int64
from numpy.typing import NDArray

Words = NDArray[int64]
"""A stream or a state."""

EMPTY: Final = -63
DONE: Final = -64

FIRST_TOKEN: Final = 2

CLOCK: Final = 0
STATUS: Final = 1
PORT: Final = 2
"""Input that starved or misfits."""
PHASE: Final = 3
BUSY: Final = 4
MISFIT_CODE: Final = 5
GOT: Final = 6
OTHER: Final = 7
COUNT: Final = 8
"""Main counter of the block: flops, values or coordinates."""
EXTRA: Final = 9
"""Second counter: distinct references, segment entries."""
SECOND_CLOCK: Final = 10
"""Clock of the repeat signal generator."""
CURSOR: Final = 11
LIMIT: Final = 12
MEMORY: Final = 13
FLAG: Final = 14
AUX: Final = 15
HEADS: Final = 16

STARVED: Final = 1
FULL: Final = 2
FINISHED: Final = 3
MISFIT: Final = 4
GROW: Final = 5

UNEXPECTED: Final = 1
"""``GOT`` is a token that the block has no rule for, given ``OTHER`` at its first input."""
UNEQUAL: Final = 2
"""``GOT`` and ``OTHER`` had to be the same kind of token or the same stop."""
OUT_OF_RANGE: Final = 3
"""``GOT`` is not below ``OTHER``."""
