"""Parallel lanes: fork (scatter) deals a stream out to lanes, gather joins what the lanes made of it.

The reference calls the second one Join; here that word means the co-iteration of a :class:`Joiner`.
"""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, PortSpec
from fuseflow.dataflow.tokens import StreamKind


@dataclass(frozen=True, slots=True)
class Fork:
    """Deals the payloads of ``in`` out to ``out0`` ... in turn and copies stops to all (simulator rule 3.22)."""

    lanes: int
    payload: StreamKind = StreamKind.REF

    kind: ClassVar[str] = "fork"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("in", (self.payload,)),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return tuple(PortSpec(f"out{number}", (self.payload,)) for number in range(self.lanes))


@dataclass(frozen=True, slots=True)
class Gather:
    """Takes one innermost fiber from each lane in turn (simulator rule 3.22, join).

    On its own it is right only where every fiber of the level above has a multiple of ``lanes`` coordinates: nothing in
    the lanes tells where that level ends. ``guarded`` adds that level as input ``crd`` (the stream that was forked),
    and any number of coordinates is right.
    """

    lanes: int
    payload: StreamKind = StreamKind.REF
    guarded: bool = False

    kind: ClassVar[str] = "gather"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        guard = (PortSpec("crd", CRD, -1),) if self.guarded else ()
        return (*(PortSpec(f"in{number}", (self.payload,)) for number in range(self.lanes)), *guard)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("out", (self.payload,)),)
