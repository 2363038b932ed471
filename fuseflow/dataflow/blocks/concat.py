"""Concat: fibers of several streams one behind the other. The reference has no such block."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, PortSpec
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.formats.check import MAX_DIMENSION

ANY_COORDINATE = 1 << 62
"""What no coordinate reaches, not even of flattened levels (``attributes.MAX_REFERENCE``)."""


@dataclass(frozen=True, slots=True)
class Concat:
    """Sends for every innermost fiber the payloads of ``in0``, then those of ``in1``, ..., then their common stop.

    All ``operands`` inputs carry ``payload`` and have the same outer fibers; ``index`` names the level that results.
    With ``offsets``, one per input and the first 0, coordinates are moved: levels of extents e0, e1, ... become one of
    extent e0 + e1 + ..., and the offsets are 0, e0, e0 + e1, .... Coordinates of a fiber rise across all inputs.

    Rule (ours, docs/simulator.md): a cycle per payload (or ``N``), and one for the stops of all inputs together.
    """

    index: str
    operands: int
    payload: StreamKind = StreamKind.VAL
    offsets: tuple[int, ...] = ()

    kind: ClassVar[str] = "concat"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return tuple(PortSpec(f"in{number}", (self.payload,)) for number in range(self.operands))

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("out", (self.payload,)),)

    @property
    def moves(self) -> tuple[tuple[int, int], ...]:
        """Per input what is added to its coordinates, and what they have to be below; empty for other payloads.

        A coordinate that leaves with offsets is at most MAX_DIMENSION, as one that a generator sends; without offsets
        nothing is moved, and what comes is below ANY_COORDINATE.
        """
        if (self.payload,) != CRD:
            return ()
        offsets = self.offsets or (0,) * self.operands
        ends = (*self.offsets[1:], MAX_DIMENSION + 1) if self.offsets else (ANY_COORDINATE,) * self.operands
        return tuple((offset, end - offset) for offset, end in zip(offsets, ends, strict=True))
