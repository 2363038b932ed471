"""What stands where in the arrays that the kernels share. Kernels compile these in: after a change, clear the caches.

A *stream* is one int64 array: word 0 is the number of tokens written (the tail), word 1 the clock of its broadcast
unit; token ``i`` is word ``2 + 2 * i`` and its stamp the word after it. A token is packed as in
:mod:`fuseflow.dataflow.tokens`; a value is the 32 bits of its float32. Every reader keeps its own head.

A *state* is one int64 array per node: the words below, then one head per input.

A *record* is a fiber that travels as one: its payload tokens and the control token that ends it. The nodes that look at
the same fibers (``records``) share one array, the *shape*: record ``r`` is the words ``4 * r + START`` (position of its
first coordinate in the storage, or reference of coordinate 0), ``+ LENGTH`` (payload tokens), ``+ END`` (the packed
stop or done token) and ``+ OFFSET`` (place of its first value in the pools of computed values). A stream of records is
one array of *stamps*: word ``2 * r`` is the stamp of the first payload token, each further one comes a cycle later, and
word ``2 * r + 1`` is the stamp of the end.
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

TAKEN: Final = CURSOR
"""Of a node on records: the records it has taken (or, a scanner, made)."""

START: Final = 0
LENGTH: Final = 1
END: Final = 2
OFFSET: Final = 3

STARVED: Final = 1
FULL: Final = 2
FINISHED: Final = 3
MISFIT: Final = 4
GROW: Final = 5
SPELL: Final = 6
"""Coordinates that were not written down, because all fibers were whole, have to be: here is one that is not."""

UNEXPECTED: Final = 1
"""``GOT`` is a token that the block has no rule for, given ``OTHER`` at its first input."""
UNEQUAL: Final = 2
"""``GOT`` and ``OTHER`` had to be the same kind of token or the same stop."""
OUT_OF_RANGE: Final = 3
"""``GOT`` is not below ``OTHER``."""
