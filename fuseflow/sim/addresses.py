"""Where the data of a run lie in a modelled memory."""

REGION_BYTES = 1 << 12
"""Tensors begin at multiples of this, so that two never share a row of memory."""

RESULT_BYTES = 1 << 34
"""Room left for each array of a result, whose size is not known before the run."""

WORD_BYTES = 4
"""Size of a coordinate, a segment entry or a value."""


class Addresses:
    """Hands out the first byte of each part of each tensor, in the order in which they are asked for."""

    __slots__ = ("_bases", "_next")

    def __init__(self) -> None:
        self._bases: dict[tuple[str, str], int] = {}
        self._next = 0

    def of(self, tensor: str, part: str, words: int | None = None) -> int:
        """First byte of a part of a tensor; ``words`` is ``None`` for a part that the run writes."""
        key = tensor, part
        if key not in self._bases:
            self._bases[key] = self._next
            size = RESULT_BYTES if words is None else WORD_BYTES * words
            self._next += -(-max(size, 1) // REGION_BYTES) * REGION_BYTES
        return self._bases[key]
